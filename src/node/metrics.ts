import { Registry, type MetricObject } from 'prom-client';
import { InvariantBug } from '../core/errors.ts';
import type { Role } from '../core/identity.ts';
import { GateCounters, ReplicaCounters, StepCounters, WriteCounters } from './counters.ts';
import { registerGauges, type GaugeFacts } from './gauges.ts';
import type { ReadOutcome } from './read-gate.ts';
import type { Transition } from './transitions.ts';

/** The figures of one node, as Prometheus reads them. */
export interface MetricsPage {
  /** Every gauge shows the same moment: the one at which this is called. */
  text(): Promise<string>;
  readonly contentType: string;
}

export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/**
 * The figures of one node, in a registry of its own, so that nodes of one process stay apart. Counters begin at 0 with
 * the node; gauges are read from the node when they are asked for, and one that is not known is not there.
 *
 * The process’s own figures (prom-client’s default metrics) are left out: they leave observers of the event loop and of
 * garbage collection behind that nothing can end, one set a registry.
 */
export class NodeMetrics implements MetricsPage {
  readonly #registry = new Registry();
  readonly #role: Role;
  readonly #steps = new StepCounters(this.#registry);
  readonly #reads = new GateCounters(this.#registry);
  readonly #progress: ReplicaCounters | null;
  /** What the write path makes durable; only a primary has one. */
  readonly writes: WriteCounters | null;

  constructor(role: Role) {
    this.#role = role;
    this.#progress = role === 'replica' ? new ReplicaCounters(this.#registry) : null;
    this.writes = role === 'primary' ? new WriteCounters(this.#registry) : null;
  }

  /** Says of which node the gauges are; before this there are none. */
  observe(node: GaugeFacts): void {
    registerGauges(this.#registry, this.#role, node);
  }

  count(transition: Transition): void {
    this.#steps.count(transition);
    this.#progress?.count(transition);
  }

  countRead(outcome: ReadOutcome, reason: string): void {
    this.#reads.count(outcome, reason);
  }

  /** What is on the page, in its order, without a value. */
  describe(): readonly MetricDescription[] {
    // The registry holds the metrics themselves, whose label names its type leaves out.
    const metrics: readonly (MetricObject & { readonly labelNames?: readonly string[] })[] =
      this.#registry.getMetricsAsArray();
    return metrics.map(({ name, type, help, labelNames = [] }) => ({
      name,
      type: String(type),
      help,
      labels: labelNames,
    }));
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}

/** What every node of a role has on its page. */
export function metricsOf(role: Role): readonly MetricDescription[] {
  const metrics = new NodeMetrics(role);
  metrics.observe({ snapshot: noNode, applied: noNode, segments: noNode, flight: noNode });
  return metrics.describe();
}

function noNode(): never {
  throw new InvariantBug('a description asks no node');
}
