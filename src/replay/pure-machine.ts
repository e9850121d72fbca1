import { createActor, type AnyMachineSnapshot, type InspectionEvent } from 'xstate';
import type { NodeContext, NodeInput } from '../../machines/context.ts';
import { inertScope } from '../../machines/inert-scope.ts';
import { assertThat } from '../core/errors.ts';
import type { FlightEvent } from '../core/flight/facts.ts';
import type { ChartPoint, StepOutcome } from '../core/flight/records.ts';
import { MacrostepReader, OutcomeReader, pointOf, type Macrostep } from '../node/flight-steps.ts';
import type { NodeSnapshot } from '../node/node-snapshot.ts';
import { TransitionReader } from '../node/transitions.ts';
import type { ReplayedChart } from './charts.ts';

/**
 * A machine that only computes: given where it stands and an event, where it stands then. No actor is started and no
 * action is run. It is what XState’s `transition()` does with a machine, with one scope for all steps instead of a new
 * one for each, and with the microsteps told to the same readers that watch a node that runs.
 */
export class PureMachine {
  readonly #chart: ReplayedChart;
  readonly #scope: ReturnType<typeof inertScope>;
  readonly #transitions: TransitionReader;
  readonly #steps = new MacrostepReader();
  readonly #outcomes = new OutcomeReader();
  #snapshot: AnyMachineSnapshot;
  #sequence: number;
  #isTaking = false;

  constructor(chart: ReplayedChart, { value, context, status, step, sequence }: ChartPoint) {
    const { machine, claims } = chart;
    this.#chart = chart;
    // Never started: it lends its identity and its system to the scope.
    const self = createActor(machine, {
      input: context['input'],
      inspect: (inspection) => this.#watch(inspection),
    });
    this.#scope = inertScope(self);
    this.#transitions = new TransitionReader(claims);
    this.#snapshot = machine.resolveState({ value, context, status } as Parameters<
      typeof machine.resolveState
    >[0]);
    this.#sequence = sequence;
    this.#transitions.startAt(this.#rest, sequence);
    this.#steps.startAt(this.#rest, step);
    this.#outcomes.startAt(this.#rest);
  }

  /** Where the chart of a node begins. */
  static begin(chart: ReplayedChart, input: NodeInput): ChartPoint {
    const snapshot = createActor(chart.machine, { input }).getSnapshot() as unknown as NodeSnapshot;
    return pointOf(snapshot, 0, 0);
  }

  /** Events that were taken in this run. */
  get step(): number {
    return this.#steps.step;
  }

  /** Transitions that were taken in this run. */
  get sequence(): number {
    return this.#sequence;
  }

  get point(): ChartPoint {
    return pointOf(this.#rest, this.#steps.step, this.#sequence);
  }

  get context(): NodeContext {
    return this.#rest.context;
  }

  /** Takes one event. What the machine throws is thrown. */
  take(event: FlightEvent): StepOutcome {
    this.#isTaking = true;
    try {
      const { machine } = this.#chart;
      const snapshot = machine.transition(this.#snapshot, event, this.#scope) as AnyMachineSnapshot;
      this.#snapshot = snapshot;
      const ended = { type: '@xstate.snapshot', snapshot, event } as unknown as InspectionEvent;
      const macrostep: Macrostep | null = this.#steps.read(ended, null);
      assertThat(macrostep !== null, 'a machine that has taken an event has made a step');
      this.#sequence = macrostep.transitions.at(-1)?.sequence ?? this.#sequence;
      return this.#outcomes.outcomeOf(macrostep);
    } finally {
      this.#isTaking = false;
    }
  }

  #watch(inspection: InspectionEvent): void {
    // The actor that lends its scope tells of its own birth too.
    if (!this.#isTaking || inspection.type !== '@xstate.microstep') return;
    this.#steps.read(inspection, this.#transitions.read(inspection));
  }

  get #rest(): NodeSnapshot {
    return this.#snapshot;
  }
}
