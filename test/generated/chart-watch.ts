import type { AnyActorRef, AnyMachineSnapshot, EventObject, InspectionEvent } from 'xstate';
import { transitionId } from '../../machines/chart.ts';
import { recordChart } from '../support/chart-coverage.ts';

interface Settled {
  readonly event: string;
  readonly snapshot: AnyMachineSnapshot;
}

/** Watches the chart of one node through its inspector, from before its start on. */
export class ChartWatch {
  readonly #afterRefusal: readonly EventObject[];
  readonly #settled: Settled[] = [];
  #chart: AnyActorRef | null = null;
  #rested: AnyMachineSnapshot | null = null;
  #isRefused = false;
  #wake: (() => void) | null = null;
  /** The ids of the transitions that were taken. */
  readonly taken = new Set<string>();

  /**
   * `afterRefusal`: what the path says from outside to a node whose start is refused. The host stops such a node at once,
   * so it is said in the same moment.
   */
  constructor(afterRefusal: readonly EventObject[]) {
    this.#afterRefusal = afterRefusal;
  }

  readonly inspect = (inspection: InspectionEvent): void => {
    recordChart(inspection);
    if (this.#chart === null && inspection.type === '@xstate.actor')
      this.#chart = inspection.actorRef as AnyActorRef;
    if (inspection.actorRef !== this.#chart) return;
    if (inspection.type === '@xstate.microstep')
      for (const transition of inspection._transitions) this.taken.add(transitionId(transition));
    if (inspection.type !== '@xstate.snapshot') return;
    const snapshot = inspection.snapshot as AnyMachineSnapshot;
    this.#settled.push({ event: inspection.event.type, snapshot });
    if (!this.#isRefused && snapshot.matches({ halted: 'refusing' })) {
      this.#isRefused = true;
      for (const event of this.#afterRefusal) this.send(event);
    }
    this.#wake?.();
  };

  /** Where the chart rested after what the path has said last. */
  get rested(): AnyMachineSnapshot {
    if (this.#rested === null) throw new Error('the chart was not started');
    return this.#rested;
  }

  /** Where the chart is at this moment. */
  get now(): AnyMachineSnapshot {
    return (this.#chart as AnyActorRef).getSnapshot() as AnyMachineSnapshot;
  }

  /** The start was refused: the host stops the node, whatever the path says. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** What a host, an operator or the write path says. */
  send(event: EventObject): void {
    this.#chart?.send(event);
  }

  /** Resolves when the chart rests after an event of this type; any other event that comes first is an error. */
  async settledAfter(type: string): Promise<void> {
    for (;;) {
      const next = this.#settled.shift();
      if (next?.event === type) {
        this.#rested = next.snapshot;
        return;
      }
      if (next !== undefined) throw new Error(`the chart was told "${next.event}", and not "${type}"`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
  }

  /** What has happened and the path does not know of; what the host does with a refused start is its own. */
  get unexpected(): readonly string[] {
    return this.#isRefused ? [] : this.#settled.map(({ event }) => event);
  }
}
