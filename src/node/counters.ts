import { Counter, type Registry } from 'prom-client';
import type { Position } from '../core/position.ts';
import type { ReadOutcome } from './read-gate.ts';
import { statesEntered } from '../core/state-line.ts';
import { isHalting, type Transition, type TransitionPositions } from './transitions.ts';

function counter<const Label extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
): Counter<Label> {
  return new Counter({
    name: `replichart_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
  });
}

/** What the chart did: the states it entered, what its invariants said, the halts. */
export class StepCounters {
  readonly #transitions: Counter<'state'>;
  readonly #verdicts: Counter<'rule' | 'invariant' | 'evaluation'>;
  readonly #halts: Counter<'code' | 'invariant'>;

  constructor(registry: Registry) {
    this.#transitions = counter(
      registry,
      'transitions_total',
      'Transitions of the chart, by the state that was entered.',
      ['state'],
    );
    this.#verdicts = counter(
      registry,
      'guard_verdicts_total',
      'What the invariants of the chart said, by rule, on the way of the transitions that were taken.',
      ['rule', 'invariant', 'evaluation'],
    );
    this.#halts = counter(
      registry,
      'halts_total',
      'Halts, by error code and invariant; one that an earlier run has recorded counts when it is found.',
      ['code', 'invariant'],
    );
  }

  count(transition: Transition): void {
    const { from, to, verdicts, halt } = transition;
    for (const state of statesEntered(from, to)) this.#transitions.inc({ state });
    for (const { rule_id: rule, invariant, evaluation } of verdicts)
      this.#verdicts.inc({ rule, invariant, evaluation });
    if (halt !== null && isHalting(transition))
      this.#halts.inc({ code: halt.code, invariant: halt.invariant ?? '' });
  }
}

/** What the read gate said, and what became of the reads that it admitted. */
export class GateCounters {
  readonly #reads: Counter<'outcome' | 'reason'>;

  constructor(registry: Registry) {
    this.#reads = counter(
      registry,
      'reads_total',
      'Reads, by what the gate said and, where it refused, by the rule that does not hold. A read that is deferred counts again when it is decided; an admitted one that ends with an error counts again as failed.',
      ['outcome', 'reason'],
    );
  }

  count(outcome: ReadOutcome, reason: string): void {
    this.#reads.inc({ outcome, reason });
  }
}

/** What a replica moved on by. Positions that a start or a bootstrap sets are not progress. */
export class ReplicaCounters {
  readonly #received: Counter;
  readonly #validated: Counter;
  readonly #applied: Counter;
  readonly #commits: Counter;
  #before: TransitionPositions | null = null;

  constructor(registry: Registry) {
    this.#received = counter(
      registry,
      'wal_received_bytes_total',
      'Bytes of WAL received from the primary and made durable.',
    );
    this.#validated = counter(registry, 'wal_validated_bytes_total', 'Bytes of WAL proved.');
    this.#applied = counter(
      registry,
      'wal_applied_bytes_total',
      'Bytes of proven WAL applied to the index, replayed ones included.',
    );
    this.#commits = counter(
      registry,
      'applied_commits_total',
      'Commits applied to the index, replayed ones included.',
    );
  }

  count({ positions }: Transition): void {
    const before = this.#before;
    this.#before = positions;
    if (before === null) return;
    advance(this.#received, before.received_lsn, positions.received_lsn);
    advance(this.#validated, before.validated?.lsn, positions.validated?.lsn);
    advance(this.#applied, before.applied?.lsn, positions.applied?.lsn);
    advance(this.#commits, before.applied?.commit_id, positions.applied?.commit_id);
  }
}

function advance(by: Counter, from: number | null | undefined, to: number | null | undefined): void {
  if (typeof from === 'number' && typeof to === 'number' && to > from) by.inc(to - from);
}

/** What the write path of a primary made durable. */
export class WriteCounters {
  readonly #commits: Counter;
  readonly #frames: Counter;
  readonly #bytes: Counter;

  constructor(registry: Registry) {
    this.#commits = counter(registry, 'commits_total', 'Commits made durable.');
    this.#frames = counter(
      registry,
      'frames_total',
      'Frames of commits made durable, each with one fsync; cuts and seals are not among them.',
    );
    this.#bytes = counter(
      registry,
      'wal_written_bytes_total',
      'Bytes of WAL made durable: frames, seals and segment headers.',
    );
  }

  /** Durable history has grown; commits always come as one frame. */
  count(from: Position, to: Position): void {
    if (to.commitId > from.commitId) {
      this.#commits.inc(to.commitId - from.commitId);
      this.#frames.inc();
    }
    this.#bytes.inc(to.lsn - from.lsn);
  }
}
