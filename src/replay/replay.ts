import type { NodeInput } from '../../machines/context.ts';
import type { NumberedRecord } from '../core/flight/chain.ts';
import { errorToJson, eventFromJson } from '../core/flight/facts.ts';
import type {
  ChartPoint,
  FailedRecord,
  GapRecord,
  HeaderRecord,
  StepRecord,
} from '../core/flight/records.ts';
import { PRODUCTION_CHARTS, type ReplayedChart } from './charts.ts';
import { compareOutcomes, unlike, type Difference, type Unlike } from './difference.ts';
import { Owner } from './owner.ts';
import { PureMachine } from './pure-machine.ts';

export interface ReplayCounts {
  readonly steps: number;
  readonly gaps: number;
  /** Steps that the recorder left out. */
  readonly lost: number;
  /** Runs that were closed in order. */
  readonly ended: number;
}

/**
 * Runs machines over records, in order, and compares everything that they make of an event with what was recorded. Pure:
 * the same records and the same machines give the same verdict.
 */
export class Replay {
  readonly #charts: Readonly<Record<HeaderRecord['chart'], ReplayedChart>>;
  #machine: PureMachine | null = null;
  #chart: ReplayedChart | null = null;
  #run: string | null = null;
  readonly #owner = new Owner();
  #counts = { steps: 0, gaps: 0, lost: 0, ended: 0 };

  constructor(charts: Readonly<Record<HeaderRecord['chart'], ReplayedChart>> = PRODUCTION_CHARTS) {
    this.#charts = charts;
  }

  get counts(): ReplayCounts {
    return { ...this.#counts };
  }

  /** Where the chart stands after the records so far; `null` before the first. */
  get machine(): Pick<PureMachine, 'point' | 'context'> | null {
    return this.#machine;
  }

  /** Takes the next record; `null` where it is as the machine has it. After a difference nothing more is to be taken. */
  accept(record: NumberedRecord): Difference | null {
    const found = this.#replay(record);
    if (found === null) return null;
    const point = 'point' in record ? record.point : record;
    const event = 'event' in record ? (record.event['type'] as string) : null;
    return { record: record.n, step: point.step, event, ...found };
  }

  #replay(record: NumberedRecord): Unlike | null {
    return this.#follow(record) ?? this.#owner.identified(this.#machine?.context.identity ?? null);
  }

  #follow(record: NumberedRecord): Unlike | null {
    if (record.type === 'header')
      return this.#known(record) ?? this.#owner.headed(record) ?? this.#begin(record);
    if (this.#machine === null || this.#chart === null) return unlike('record', 'header', record.type);
    if (record.type === 'step') return this.#step(this.#machine, record);
    if (record.type === 'failed') return failure(this.#machine, record);
    if (record.type === 'gap') return this.#jump(this.#machine, this.#chart, record);
    this.#counts.ended += 1;
    return unlike('step', record.step, this.#machine.step);
  }

  /** A journal of a chart that this program does not have, under a right checksum, comes of another program. */
  #known({ chart }: HeaderRecord): Unlike | null {
    return Object.hasOwn(this.#charts, chart)
      ? null
      : unlike('chart', Object.keys(this.#charts).join(' or '), chart);
  }

  /** A file goes on where the one before it ended, or begins a run, or is the first one there is. */
  #begin({ chart: name, run, part, point }: HeaderRecord): Unlike | null {
    const chart = this.#charts[name];
    const machine = new PureMachine(chart, point);
    const before = this.#run === run ? this.#machine : null;
    const start =
      part === 1
        ? PureMachine.begin(chart, point.context['input'] as unknown as NodeInput)
        : (before ?? machine).point;
    const difference = comparePoints(point, start);
    if (difference !== null) return difference;
    this.#run = run;
    this.#chart = chart;
    this.#machine = machine;
    return null;
  }

  /** What is missing is believed only as far as it can be: so many steps, and none of them before where the machine is. */
  #jump(before: PureMachine, chart: ReplayedChart, { lost, point }: GapRecord): Unlike | null {
    if (lost < 1) return unlike('lost', 'at least 1', lost);
    const { step, sequence } = before;
    const machine = new PureMachine(chart, point);
    const difference =
      unlike('step', step + lost, point.step) ??
      (point.sequence < sequence ? unlike('sequence', `at least ${sequence}`, point.sequence) : null) ??
      comparePoints(point, machine.point);
    if (difference !== null) return difference;
    this.#counts.gaps += 1;
    this.#counts.lost += lost;
    this.#machine = machine;
    return null;
  }

  #step(machine: PureMachine, record: StepRecord): Unlike | null {
    const expected = machine.step + 1;
    if (record.step !== expected) return unlike('step', expected, record.step);
    const outcome = attempt(() => machine.take(eventFromJson(record.event)));
    if ('thrown' in outcome) return unlike('failure', null, errorToJson(outcome.thrown));
    this.#counts.steps += 1;
    return compareOutcomes(record, outcome.value);
  }
}

/** A machine that threw throws the same again. */
function failure(machine: PureMachine, record: FailedRecord): Unlike | null {
  const expected = machine.step + 1;
  if (record.step !== expected) return unlike('step', expected, record.step);
  const outcome = attempt(() => machine.take(eventFromJson(record.event)));
  return unlike('failure', record.error, 'thrown' in outcome ? errorToJson(outcome.thrown) : null);
}

function attempt<Value>(run: () => Value): { readonly value: Value } | { readonly thrown: unknown } {
  try {
    return { value: run() };
  } catch (thrown) {
    return { thrown };
  }
}

function comparePoints(expected: ChartPoint, found: ChartPoint): Unlike | null {
  return (
    unlike('step', expected.step, found.step) ??
    unlike('sequence', expected.sequence, found.sequence) ??
    unlike('state', expected.state, found.state) ??
    unlike('status', expected.status, found.status) ??
    unlike('snapshot', expected.context, found.context) ??
    unlike('digest', expected.digest, found.digest)
  );
}
