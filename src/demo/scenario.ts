import { performance } from 'node:perf_hooks';
import type { Imported } from '../cli/import/import.ts';
import {
  proveBytes,
  proveHalt,
  proveReadProof,
  proveReads,
  proveSnapshot,
  proveStates,
  type Trio,
} from './checks.ts';
import { findDataset, type Dataset } from './dataset.ts';
import { DemoFailure } from './failure.ts';
import {
  dataOf,
  replication,
  snapshot,
  status,
  type FailureJson,
  type PositionJson,
  type SnapshotJson,
} from './http.ts';
import type { Fleet } from './fleet.ts';
import type { DemoNode } from './processes.ts';
import { proofOf, type Proof } from './proofs.ts';
import { FLIPPED_BIT } from './relay.ts';
import { since, until } from './until.ts';
import { pickTarget, walOnDisk, type Target } from './wal-bytes.ts';
import { changeDocuments, importDataset, type Changed } from './workload.ts';

const CHANGED_DOCUMENTS = 6_000;

/** Where a step says how far it is. */
export type Say = (text: string) => void;

/** One step of the demonstration; it leaves what it found in the scenario. */
export interface Step {
  readonly title: string;
  readonly run: (say: Say) => Promise<void>;
}

/** Everything that was measured so far; what did not happen is absent. */
export interface Figures {
  dataset?: Dataset;
  import?: Imported & { readonly milliseconds: number };
  snapshot?: SnapshotJson & {
    readonly milliseconds: number;
    readonly replica_serves_after_milliseconds: number;
  };
  changes?: Changed & { readonly milliseconds: number };
  catch_up_milliseconds?: number;
  /** Where all three stood then. */
  position?: PositionJson;
  refused_read?: object;
  altered_byte?: Target & { readonly flipped_bit: number; readonly times: number };
  halt?: object;
  exits?: Readonly<Record<string, number | string>>;
}

/** The story that the demonstration tells, step by step, and what came of it. */
export class Scenario {
  readonly figures: Figures = {};
  readonly proofs: Proof[] = [];
  readonly #fleet: Fleet;
  readonly #rowsMax: number | null;

  /** @param rowsMax How many rows of the data are imported at most; `null`: all of them. */
  constructor(fleet: Fleet, rowsMax: number | null) {
    this.#fleet = fleet;
    this.#rowsMax = rowsMax;
  }

  /** What is proved while every node runs on. */
  get steps(): readonly Step[] {
    return [
      { title: 'Start a primary, and replica A that follows it live', run: (say) => this.#start(say) },
      {
        title: `Import ${this.#rowsMax === null ? 'every city' : `${this.#rowsMax} cities`}; half-way make a snapshot and start replica B from it`,
        run: (say) => this.#import(say),
      },
      { title: 'Update and delete', run: (say) => this.#change(say) },
      { title: 'Wait until A and B stand where the primary stands', run: (say) => this.#catchUp(say) },
      { title: 'Compare states and files', run: (say) => this.#compare(say) },
      { title: 'Read on A: once proven, once refused', run: (say) => this.#read(say) },
      { title: 'Alter one bit on the way to replica C', run: (say) => this.#alter(say) },
    ];
  }

  /** The end of the story, where nobody goes on watching. */
  get lastStep(): Step {
    return { title: 'Stop every node', run: (say) => this.#stop(say) };
  }

  async #start(say: Say): Promise<void> {
    this.figures.dataset = await findDataset();
    const primary = await this.#fleet.startPrimary();
    const a = await this.#fleet.startReplica('replica-a');
    say(`primary ${primary.url}, A ${a.url}`);
  }

  async #import(say: Say): Promise<void> {
    const dataset = known(this.figures.dataset);
    const { url } = this.#fleet.of('primary');
    const began = performance.now();
    const imported = await importDataset(
      url,
      dataset,
      this.#rowsMax,
      ({ rows, bytes }) =>
        say(
          this.#rowsMax === null
            ? `${rows} rows committed, ${bytes} of ${dataset.bytes} bytes read`
            : `${rows} of ${this.#rowsMax} rows committed`,
        ),
      () => this.#bootstrapB(say),
    );
    this.figures.import = { ...imported, milliseconds: since(began) };
    say(`${imported.rows} rows committed`);
  }

  /** The request under way goes on meanwhile: the snapshot is made while there are writes. */
  async #bootstrapB(say: Say): Promise<void> {
    const { url } = this.#fleet.of('primary');
    const began = performance.now();
    const made = await dataOf(snapshot, url, 'data/v1/snapshots', {});
    const milliseconds = since(began);
    const bootstrapping = performance.now();
    const b = await this.#fleet.startReplica('replica-b', { bootstrap: 'snapshot' });
    await until(
      `B serves a snapshot of commit ${made.cut.commit_id} or later`,
      async () => (await dataOf(replication, b.url, 'v1/replication')).data,
      ({ snapshot_bootstrap_state: state, replica_commit_id: at }) =>
        state === 'Complete' && at !== null && at >= made.cut.commit_id,
    );
    this.figures.snapshot = {
      ...made,
      milliseconds,
      replica_serves_after_milliseconds: since(bootstrapping),
    };
    say(`snapshot of commit ${made.cut.commit_id}, ${made.bytes} bytes; B ${b.url}`);
  }

  async #change(say: Say): Promise<void> {
    const began = performance.now();
    const { rows } = known(this.figures.import);
    const count = Math.min(CHANGED_DOCUMENTS, Math.floor(rows / 2));
    const changed = await changeDocuments(this.#fleet.of('primary').url, count);
    this.figures.changes = { ...changed, milliseconds: since(began) };
    say(`${changed.updates} updates, ${changed.deletes} deletes`);
  }

  /** The primary's own position may still move by a seal after the last commit, so all three are looked at together. */
  async #catchUp(say: Say): Promise<void> {
    const began = performance.now();
    const acknowledged = known(this.figures.changes).position;
    const { primary, a, b } = this.#trio();
    const seen = await until(
      `A and B stand where the primary stands, at commit ${acknowledged.commit_id} or later`,
      async () => ({
        primary: await standingOf(primary),
        a: await standingOf(a),
        b: await standingOf(b),
      }),
      ({ primary: { position, endLsn }, ...replicas }) =>
        position !== null &&
        position.lsn >= acknowledged.lsn &&
        endLsn === position.lsn &&
        Object.values(replicas).every(
          (replica) => replica.position?.lsn === position.lsn && replica.endLsn === position.lsn,
        ),
      { isHopeless: (all) => Object.values(all).some(({ failure }) => failure !== null) },
    );
    this.figures.catch_up_milliseconds = since(began);
    const position = known(seen.primary.position ?? undefined);
    this.figures.position = position;
    this.proofs.push(
      proofOf({
        id: 'positions',
        claim: 'Primary, A and B stand at the same position',
        expected: { primary: position, a: position, b: position },
        found: { primary: position, a: seen.a.position, b: seen.b.position },
        shown: `commit ${position.commit_id}, LSN ${position.lsn}, history ${position.history_hash.slice(0, 16)}…`,
        divergence: true,
      }),
    );
    say(`commit ${position.commit_id}, LSN ${position.lsn}`);
  }

  async #compare(say: Say): Promise<void> {
    const { updates, deletes } = known(this.figures.changes);
    const { rows } = known(this.figures.import);
    const made = known(this.figures.snapshot);
    say('state digests');
    const expected = { documents: rows - deletes, keys: rows, versions: rows + updates + deletes };
    const at = known(this.figures.position).commit_id;
    this.proofs.push(...(await proveStates(this.#trio(), at, expected)));
    this.proofs.push(await proveSnapshot(this.#trio(), made));
    say('WAL files');
    this.proofs.push(...(await proveBytes(this.#trio(), made)));
  }

  async #read(say: Say): Promise<void> {
    const { updatedId } = known(this.figures.changes);
    const position = known(this.figures.position);
    const { proofs, refused } = await proveReads(this.#trio(), position, updatedId);
    const readProof = await proveReadProof(this.#trio(), updatedId);
    this.proofs.push(...proofs, readProof);
    this.figures.refused_read = refused;
    say([...proofs, readProof].map(({ shown }) => shown).join('; '));
  }

  async #alter(say: Say): Promise<void> {
    const { primary } = this.#trio();
    const target = await pickTarget(await walOnDisk(primary.directory));
    say(`LSN ${target.lsn}: ${target.document} becomes ${target.altered}`);
    const relay = await this.#fleet.relayOf('replica-c');
    relay.alter({ lsn: target.lsn });
    const c = await this.#fleet.startReplica('replica-c');
    const halted = await until(
      'C has halted, kept the bytes and recorded the halt',
      async () => (await dataOf(status, c.url, 'v1/status')).data,
      ({ machine_state: state }) => state === 'halted.resting',
    );
    const failure: FailureJson = known(halted.failure ?? undefined);
    const { proofs, halt } = await proveHalt(this.#trio(), c, failure, target);
    this.proofs.push(...proofs);
    this.figures.altered_byte = { ...target, flipped_bit: FLIPPED_BIT, times: relay.flips };
    this.figures.halt = halt;
    say(`C: ${failure.code}, ${failure.rule ?? ''}`);
  }

  async #stop(say: Say): Promise<void> {
    const exits = await this.#fleet.processes.stop();
    this.figures.exits = exits;
    this.proofs.push(
      proofOf({
        id: 'exits',
        claim: 'Asked to stop, every node says with its exit code how it stood',
        expected: { primary: 0, 'replica-a': 0, 'replica-b': 0, 'replica-c': 5 },
        found: exits,
        shown: Object.entries(exits)
          .map(([name, code]) => `${name} ${code}`)
          .join(', '),
      }),
    );
    say('stopped');
  }

  #trio(): Trio {
    const [primary, a, b] = [
      this.#fleet.of('primary'),
      this.#fleet.of('replica-a'),
      this.#fleet.of('replica-b'),
    ];
    return { primary, a, b };
  }
}

async function standingOf({ url, directory }: DemoNode) {
  const { endLsn } = await walOnDisk(directory);
  return { ...(await dataOf(status, url, 'v1/status')).data, endLsn };
}

/** What an earlier step has left. @throws DemoFailure when it is not there. */
function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new DemoFailure('a step needs what an earlier one did not leave');
  return value;
}
