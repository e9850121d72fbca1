import type { InspectionEvent } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import type { Json, JsonObject } from '../core/bytes.ts';
import type { FlightEvent } from '../core/flight/facts.ts';
import { MomentPrinter } from '../core/flight/print.ts';
import type { ChartPoint, Move, StepOutcome } from '../core/flight/records.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import { stateLine, statesEntered } from '../core/state-line.ts';
import {
  isOfChart,
  type Transition,
  type TransitionPositions,
  type TransitionVerdict,
} from './transitions.ts';

/** One event, and all that the chart made of it before it took the next one. */
export interface Macrostep {
  /** 1, 2, …: counted anew by every run of the node. */
  readonly step: number;
  readonly event: FlightEvent;
  readonly transitions: readonly Transition[];
  readonly before: NodeSnapshot;
  readonly after: NodeSnapshot;
}

/**
 * Gathers the steps of one chart from its inspection events. Recorder and replay both look at a chart through this, so
 * that what differs between them is the chart.
 */
export class MacrostepReader {
  #transitions: Transition[] = [];
  #before: NodeSnapshot | null = null;
  #step = 0;

  /** Steps that were completed. */
  get step(): number {
    return this.#step;
  }

  /** Where the chart stood at the last rest; `null` before its start. */
  get rest(): NodeSnapshot | null {
    return this.#before;
  }

  /** Goes on from a moment, so many steps into a run. */
  startAt(snapshot: NodeSnapshot, step: number): void {
    this.#before = snapshot;
    this.#step = step;
    this.#forget();
  }

  /** `transition`: what a `TransitionReader` made of the same inspection event. `null` as long as no step has ended. */
  read(inspection: InspectionEvent, transition: Transition | null): Macrostep | null {
    if (transition !== null) this.#transitions.push(transition);
    if (inspection.type !== '@xstate.snapshot' || !isOfChart(inspection.snapshot)) return null;
    return this.#rest(inspection.event, inspection.snapshot);
  }

  #rest(event: FlightEvent, after: NodeSnapshot): Macrostep | null {
    const before = this.#before;
    this.#before = after;
    // The start is no step: it is where the first one begins.
    if (before === null) return null;
    this.#step += 1;
    const transitions = this.#transitions;
    this.#forget();
    return { step: this.#step, event, transitions, before, after };
  }

  #forget(): void {
    this.#transitions = [];
  }
}

/** Says what came of steps, as a journal keeps it. */
export class OutcomeReader {
  readonly #printer = new MomentPrinter();

  /** Goes on from a moment: what is said of the next step is what it changed of this. */
  startAt(snapshot: NodeSnapshot): void {
    this.#printer.print(snapshot);
  }

  outcomeOf({ transitions, after }: Pick<Macrostep, 'transitions' | 'after'>): StepOutcome {
    const { changed, digest } = this.#printer.print(after);
    return {
      moves: transitions.map(moveOf),
      status: after.status,
      state: stateLine(after.value),
      positions: positionsIn(changed, transitions.at(-1)),
      changed,
      digest,
    };
  }
}

/** The positions, each with the fields of the context that it is made of. */
const MADE_OF: Readonly<Record<keyof TransitionPositions, readonly (keyof NodeContext)[]>> = {
  received_lsn: ['receivedLsn'],
  validated: ['validated'],
  applied: ['applied'],
  primary_durable: ['primaryDurable', 'validated'],
};
const POSITIONS = Object.keys(MADE_OF) as readonly (keyof TransitionPositions)[];

/** The positions that a step has moved. */
function positionsIn(changed: StepOutcome['changed'], last: Transition | undefined): JsonObject {
  const moved: Record<string, Json> = {};
  for (const name of POSITIONS)
    if (last !== undefined && MADE_OF[name].some((field) => field in changed))
      moved[name] = last.positions[name];
  return moved;
}

/** A chart at rest, whole. */
export function pointOf(snapshot: NodeSnapshot, step: number, sequence: number): ChartPoint {
  const { status, value, context } = snapshot;
  return {
    step,
    sequence,
    status,
    state: stateLine(value),
    value: value as Json,
    context: context as unknown as JsonObject,
    digest: new MomentPrinter().print(snapshot).digest,
  };
}

function moveOf({ sequence, from, to, transitions, verdicts }: Transition): Move {
  return {
    sequence,
    transitions,
    entered: statesEntered(from, to),
    verdicts: verdicts.map(verdictJson),
  };
}

function verdictJson({ rule_id, evaluation, evidence }: TransitionVerdict): Move['verdicts'][number] {
  return evaluation === 'holds' ? { rule_id, evaluation } : { rule_id, evaluation, evidence };
}
