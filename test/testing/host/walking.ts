/** Walks the catalogue along generated paths: with a real replica on real files, fed with the WAL of a real primary. */
import { deepStrictEqual } from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createPrimary, type HostPorts, type NodeSnapshot, type Position } from 'replichart';
import { lineOf, runningIn, type TestPath, type Walker } from 'replichart/testing';
import type { AnyMachineSnapshot } from 'xstate';
import { Catalogue } from './catalogue.ts';
import { healthOf } from './health.ts';
import { HeldSource } from './held-source.ts';

const logger = pino({ level: 'silent' });

/** What a primary wrote: the bytes of its WAL, and where each of its commits ends in them. */
export interface History {
  readonly clusterId: string;
  readonly wal: Buffer;
  readonly ends: readonly Position[];
}

/** A history of so many commits, each of which puts the item that has its number. */
export async function recordHistory(commits: number): Promise<History> {
  const dataDir = await mkdtemp(join(tmpdir(), 'catalogue-primary-'));
  const primary = await createPrimary({ dataDir }, { logger });
  const ends: Position[] = [];
  for (let id = 1; id <= commits; id += 1)
    ends.push(
      await primary.commit([{ op: 'put', collection: 'items', id: String(id), document: `{"item":${id}}` }]),
    );
  await primary.stop();
  const segments = (await readdir(join(dataDir, 'wal'))).sort();
  const wal = Buffer.concat(await Promise.all(segments.map((name) => readFile(join(dataDir, 'wal', name)))));
  await rm(dataDir, { recursive: true });
  return { clusterId: primary.identity.clusterId, wal, ends };
}

/** One catalogue that is walked. */
export interface Walked {
  readonly path: TestPath;
  readonly history: History;
  readonly dataDir: string;
  readonly source: HeldSource;
  readonly catalogue: Catalogue;
  readonly rests: Rests;
  /** How many moves were caused, and how many commits were sent. */
  moves: number;
  sent: number;
  hasHalted: boolean;
}

/** How the host causes the moves that come from outside its replica; `walked.moves` is the one that is caused. */
export const CAUSES: Readonly<Record<string, (walked: Walked) => unknown>> = {
  'meetPrimary: met': ({ source, history: { clusterId, ends } }) =>
    source.identities.put({
      kind: 'met',
      primary: { clusterId, formatVersion: 1, oldestLsn: 0, durable: ends.at(-1) as Position },
    }),
  'meetPrimary: unreachable': ({ source }) =>
    source.identities.put({ kind: 'unreachable', message: 'nobody is there' }),
  'attach: attached': ({ source }) => source.attachments.put('attached'),
  'attach: unreachable': ({ source }) =>
    source.attachments.put({ kind: 'unreachable', message: 'nobody is there' }),
  'attach: refused: diverged': ({ source }) =>
    source.attachments.put({ kind: 'refused', code: 'HISTORY_DIVERGED', message: 'not ours', evidence: {} }),
  'receive: a unit': (walked) => {
    const from = walked.history.ends[walked.sent - 1]?.lsn ?? 0;
    const to = walked.history.ends[walked.sent]?.lsn;
    const bytes = Buffer.from(walked.history.wal.subarray(from, to));
    if (nextVerdict(walked) === 'checksum does not match') bytes[bytes.length - 1]! ^= 1;
    walked.sent += 1;
    walked.source.send(from, bytes);
  },
  'receive: the end': ({ source }) => source.endStream(),
  'replica.attach': ({ catalogue }) => catalogue.lookAfter(),
  'node.stop': ({ catalogue }) => void catalogue.pause(),
};

/** What the path says of the bytes that are sent now. */
function nextVerdict({ path, moves }: Walked): string | null {
  return path.steps.slice(moves).find(({ move }) => move.effect === 'validate')?.move.outcome ?? null;
}

/** What a replica does by itself on a good disk and without bugs; what it is fed decides which of them. */
const BY_ITSELF: ReadonlySet<string> = new Set([
  'readIdentity: absent',
  'claimIdentity: claimed',
  'readHaltRecord: none',
  'surveyReplica: nothing yet',
  'repairReplica: repaired',
  'persist: persisted',
  'validate: proven',
  'validate: checksum does not match',
  'apply: applied',
  'boundary: reached',
  'drain: drained',
  'writeHaltRecord: written',
  'release: released',
]);

export function isByItself({ context }: AnyMachineSnapshot, move: string): boolean {
  const { halt } = context as NodeSnapshot['context'];
  // There is evidence where bytes were wrong, and nowhere else.
  const isEvidence = halt?.code === 'WAL_CORRUPT';
  if (move === 'keepEvidence: kept' || move === 'keepEvidence: nothing to keep')
    return isEvidence === (move === 'keepEvidence: kept');
  return BY_ITSELF.has(move);
}

/** Whether this host can cause a move in a state. */
export function isCaused(snapshot: AnyMachineSnapshot, move: string): boolean {
  const isReplicating = snapshot.matches('replicating');
  // A replica that is still starting cannot be stopped by us, and one that is refused stops by itself.
  if (move === 'node.stop') return isReplicating || snapshot.matches({ halted: 'resting' });
  // We attach only where there is something to attach.
  if (move === 'replica.attach') return snapshot.matches({ replicating: { ingesting: 'detached' } });
  return move in CAUSES;
}

/** Everywhere the replica has rested, from before its start on: told by its inspector. */
export class Rests {
  readonly #rests: NodeSnapshot[] = [];
  #chart: unknown = null;
  #wake: () => void = () => undefined;

  readonly inspect: NonNullable<HostPorts['inspect']> = (inspection) => {
    // The first actor is the chart; those that it starts are its effects.
    if (inspection.type === '@xstate.actor') this.#chart ??= inspection.actorRef;
    if (inspection.type !== '@xstate.snapshot' || inspection.actorRef !== this.#chart) return;
    this.#rests.push(inspection.snapshot as unknown as NodeSnapshot);
    this.#wake();
  };

  /** Resolves with where it rested next. */
  async next(): Promise<NodeSnapshot> {
    for (;;) {
      const rest = this.#rests.shift();
      if (rest !== undefined) return rest;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** @param Service what is walked: the catalogue, or one with a mistake that a walk must find. */
export const walkerOf = (history: History, Service = Catalogue): Walker<Walked> => ({
  start: async (path) => {
    const dataDir = await mkdtemp(join(tmpdir(), 'catalogue-walked-'));
    const [source, rests] = [new HeldSource(history.clusterId), new Rests()];
    const { replication, bootstrap } = path.start.input;
    const catalogue = new Service(
      { dataDir, primaryUrl: 'http://127.0.0.1:1', replication, bootstrap },
      { walSource: () => source, inspect: rests.inspect, logger },
    );
    return { path, history, dataDir, source, catalogue, rests, moves: 0, sent: 0, hasHalted: false };
  },
  cause: async (walked, { move }) => {
    await CAUSES[move.name]?.(walked);
    walked.moves += 1;
  },
  agree: async (walked, expected) => {
    const { rests, catalogue } = walked;
    const rest = await rests.next();
    walked.hasHalted = rest.context.halt !== null;
    same('the state', rest.value, expected.value);
    same('the health', healthOf(rest).word, healthOf(expected).word);
    const isAtRest = runningIn(expected).every(({ id }) => HELD.includes(id));
    if (!isAtRest) return;
    if (!expected.matches('initializing')) await catalogue.started();
    await answersAgree(catalogue, expected);
  },
  end: async ({ catalogue, source, dataDir, hasHalted }, isWalked) => {
    await source.close();
    await catalogue.pause();
    if (isWalked && hasHalted)
      same('whether a halted replica is started again', await catalogue.lookAfter(), false);
    await catalogue.close();
    await rm(dataDir, { recursive: true });
  },
});

/** The effects that wait for the held source: while only these run, nothing happens by itself. */
const HELD: readonly string[] = ['meetPrimary', 'attach', 'receive'];

/** Asks the service as its users do. */
async function answersAgree({ app }: Catalogue, expected: AnyMachineSnapshot): Promise<void> {
  const ask = async (url: string) => {
    const { statusCode, body } = await app.inject(url);
    return { statusCode, body: JSON.parse(body) as Record<string, unknown> };
  };
  const { word, reason } = healthOf(expected);
  const health = await ask('/health');
  same('what the service says of itself', health.body['word'], word);
  same('that it says why', health.body['reason'] === null, reason === null);
  const { applied } = expected.context as NodeSnapshot['context'];
  const newest = applied?.commitId ?? 0;
  const isServing = lineOf(expected).includes('replicating.readGate.open');
  const [held, missing] = [await ask(`/items/${newest}`), await ask(`/items/${newest + 1}`)];
  if (!isServing) same('what is refused', [held.statusCode, missing.statusCode], [503, 503]);
  else if (newest > 0) same('the newest item', held, { statusCode: 200, body: { item: newest } });
  if (isServing) same('an item that is not there yet', missing.statusCode, 404);
}

function same(what: string, found: unknown, expected: unknown): void {
  deepStrictEqual(
    found,
    expected,
    `${what}: found ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`,
  );
}
