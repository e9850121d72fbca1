/**
 * Starts nodes on disks that rotted while they stood still. Each sees it at its start, or on the very read that touches it, and
 * names the place; or nothing that is read or shipped depends on it. Never a wrong answer, and what is rotten stays as it is.
 */
import { expect } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { ReplichartError } from '../../src/core/errors.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import { inState, until } from '../support/replicas.ts';
import { answersOf } from './answers.ts';
import { refusesAll, startedOr } from './attempts.ts';
import { INDEX, lsnOf, rotsOf, rotText, rotten, type Rot } from './rot.ts';
import { Tally } from './report.ts';
import { isAtRest, type Still } from './scenarios-replica.ts';
import { HOME, primaryOn, replicaOn, walOn } from './simulated-nodes.ts';

/** A disk of a node that was stopped, and what it held. */
export interface Standing {
  readonly disk: SimulatedDisk;
  /** The last commit that was applied, and acknowledged. */
  readonly commits: number;
  /** The first view that can be read. */
  readonly from: number;
  /** A primary without the beginning of its WAL: who follows it begins with its snapshot. */
  readonly isPruned?: boolean;
}

export interface Rotted {
  /** By what was done to which file, and what came of it. */
  readonly outcomes: Tally;
  /** What a replica that follows a rotten primary made of it. */
  readonly shipped: Tally;
}

const AS_IF_NOTHING = 'as if nothing happened';

/** How a start that saw nothing ended: what it reads at every start is not among what it may have missed. */
function outcomeOf(seen: readonly string[], rot: Rot, disk: SimulatedDisk): string {
  if (seen.length > 0) return `read refused, ${[...new Set(seen)].join(', ')}`;
  const segments = [...disk.contents().keys()].filter((path) => path.startsWith(`${HOME}/wal/`));
  expect(segments.slice(-1), 'the segment of the checkpoint is proved').not.toContain(rot.path);
  expect(rot.path, 'what is read at every start').not.toMatch(/\/(identity|halt|index|manifest)$/);
  return AS_IF_NOTHING;
}

/** `wal/…`, `base/…`: the kind of a file, for counting. */
const kindOf = ({ path }: Rot) => path.slice(HOME.length + 1).replace(/\d+/g, '#');

export async function rotPrimary(standing: Standing): Promise<Rotted> {
  const counted: Rotted = { outcomes: new Tally(), shipped: new Tally() };
  for (const rot of rotsOf(standing.disk))
    await named(rot, async () => {
      counted.outcomes.add(`${kindOf(rot)}: ${await lookAtPrimary(standing, rot, counted.shipped)}`);
    });
  return counted;
}

async function lookAtPrimary(standing: Standing, rot: Rot, shipped: Tally): Promise<string> {
  const { disk: prepared, commits } = standing;
  const disk = rotten(prepared, rot);
  const before = disk.contents();
  const primary = await startedOr(primaryOn(disk));
  if ('error' in primary) return refusedStart(disk, before, rot, primary.error);
  expect(primary.history().durable.commitId, 'what was acknowledged is there').toBe(commits);
  const seen = [...seenIn(await answersOf(primary, commits), rot), ...(await seenInSnapshots(primary))];
  if (rot.path !== INDEX) shipped.add(`${kindOf(rot)}: ${await ship(primary, standing, rot)}`);
  await primary.stop();
  expect(disk.contents(), 'nothing is written anew').toEqual(before);
  return outcomeOf(seen, rot, disk);
}

async function seenInSnapshots({ snapshots }: PrimaryNode): Promise<string[]> {
  const seen: string[] = [];
  for (const id of await snapshots.list())
    try {
      await snapshots.manifest(id);
    } catch (error) {
      expect(error).toBeInstanceOf(ReplichartError);
      const { code, message } = error as ReplichartError;
      expect(code).toMatch(/^SNAPSHOT_(CORRUPT|UNKNOWN)$/);
      expect(message, 'the snapshot is named').toContain(`snapshot ${id}`);
      seen.push(code);
    }
  return seen;
}

/** A new replica follows the primary: it has all of history, or it halts. Rot that is shipped never comes through. */
async function ship(primary: PrimaryNode, { commits, isPruned }: Standing, rot: Rot): Promise<string> {
  const isInSnapshot = rot.path.startsWith(`${HOME}/snapshots/`);
  const bootstrap = isInSnapshot || isPruned ? 'snapshot' : 'wal';
  const disk = new SimulatedDisk();
  const replica = await replicaOn({ disk, bootstrap, primary: () => primary });
  const end = await follow(replica, commits);
  const isShipped = isInSnapshot || rot.path.startsWith(`${HOME}/wal/`);
  if (end === null) {
    await answersOf(replica, commits, replica.snapshot().context.applied?.snapshotCut ?? 0);
    await replica.stop();
    expect(isShipped, 'rot that was shipped is noticed').toBe(false);
    return AS_IF_NOTHING;
  }
  await refusesReads(replica);
  await replica.stop();
  return end;
}

/** `null`: it caught up; otherwise how it ended. */
async function follow(replica: ReplicaNode, commits: number): Promise<string | null> {
  const isThere = () =>
    replica.snapshot().context.applied?.commitId === commits &&
    inState('replicating.readGate.open')(replica.snapshot());
  const end = await until(
    replica,
    (now) =>
      inState('halted.resting')(now) ||
      inState('bootstrapping.detached')(now) ||
      inState('replicating.ingesting.detached')(now) ||
      isThere(),
    'an end',
  );
  if (inState('halted')(end)) return `halted, ${end.context.halt?.code}`;
  return isThere() ? null : `detached, ${/^[A-Z_]+/.exec(end.context.detachment ?? '')?.[0] ?? 'unsaid'}`;
}

/** Where a replica stands before what is rotten, what it has is right; where it halted, nothing is read. */
async function refusesReads(replica: ReplicaNode): Promise<void> {
  const { applied } = replica.snapshot().context;
  if (inState('replicating.readGate.open')(replica.snapshot()) && applied !== null)
    expect(await answersOf(replica, applied.commitId, applied.snapshotCut)).toEqual([]);
  else await refusesAll(replica);
}

/** A start that is refused names what is wrong, and leaves everything as it was. */
function refusedStart(
  disk: SimulatedDisk,
  before: ReadonlyMap<string, string>,
  rot: Rot,
  error: unknown,
): string {
  expect(error).toBeInstanceOf(ReplichartError);
  const { code, evidence } = error as ReplichartError;
  expect(disk.contents(), 'a refused start changes nothing').toEqual(before);
  namesThePlace(code, evidence, rot);
  return `start refused, ${code}`;
}

const CODES: readonly (readonly [path: RegExp, codes: readonly string[]])[] = [
  [/\/identity$/, ['IDENTITY_DAMAGED', 'IDENTITY_MISSING']],
  [/\/halt$/, ['HALT_RECORD_DAMAGED']],
  [/\/index$/, ['CHECKPOINT_DAMAGED']],
  [/\/base\//, ['SNAPSHOT_CORRUPT']],
  [/\/wal\//, ['WAL_CORRUPT']],
];

/** The code is that of the file; of WAL, the unit is named that holds the byte, or where the files part. */
function namesThePlace(code: string, evidence: ReplichartError['evidence'], rot: Rot): void {
  const [, codes] = CODES.find(([path]) => path.test(rot.path)) ?? [null, []];
  expect(codes, 'what is damaged is named').toContain(code);
  const lsn = lsnOf(rot);
  if (lsn === null) return;
  const { stop, discontinuity } = evidence as {
    stop?: { lsn: number; file: string; byte: number };
    discontinuity?: { expected_lsn: number; found_lsn: number } | null;
  };
  if (stop !== undefined) {
    expect(rot.path.endsWith(stop.file), 'the file is named').toBe(true);
    expect(stop.byte, 'the unit is named').toBeLessThanOrEqual(rot.at);
  } else if (discontinuity) expect(discontinuity.expected_lsn).toBeLessThanOrEqual(lsn);
  else if (rot.kind !== 'truncated' && rot.kind !== 'gone')
    throw new Error(`no place: ${JSON.stringify(evidence)}`);
}

/** A refused read says which entry or which record it is that cannot be trusted. */
function seenIn(refusals: readonly ReplichartError[], rot: Rot): string[] {
  for (const { code, evidence } of refusals) {
    expect(code).toBe('INDEX_DAMAGED');
    const { key, log, offset, bytes } = evidence as Record<string, number | string>;
    if (rot.key !== null) expect(key).toBe(Buffer.from(rot.key, 'latin1').toString('hex'));
    else {
      const from = rot.path.startsWith(`${HOME}/wal/`) ? (lsnOf(rot) as number) : rot.at;
      expect(log).toBe(rot.path.startsWith(`${HOME}/wal/`) ? 'wal' : 'base');
      const end = (offset as number) + (bytes as number);
      expect(end, 'the record is named that holds the byte').toBeGreaterThan(from);
      const isOneByte = rot.kind === 'a bit is flipped' || rot.kind === 'a byte is zeroed';
      if (isOneByte) expect(offset).toBeLessThanOrEqual(from);
    }
  }
  return refusals.map(({ code }) => code);
}

export async function rotReplica(
  standing: Standing,
  still: Still,
  isRotten: (path: string) => boolean = () => true,
): Promise<Rotted> {
  const counted: Rotted = { outcomes: new Tally(), shipped: new Tally() };
  for (const rot of rotsOf(standing.disk, isRotten))
    await named(rot, async () => {
      counted.outcomes.add(`${kindOf(rot)}: ${await lookAtReplica(standing, still, rot)}`);
    });
  return counted;
}

async function lookAtReplica(
  { disk: prepared, commits, from }: Standing,
  still: Still,
  rot: Rot,
): Promise<string> {
  const disk = rotten(prepared, rot);
  const before = disk.contents();
  const replica = await startedOr(replicaOn({ disk }));
  if ('error' in replica) return refusedStart(disk, before, rot, replica.error);
  const rest = await isAtRest(replica);
  const { halt } = rest.context;
  if (inState('halted')(rest)) {
    await refusesAll(replica);
    await replica.stop();
    namesThePlace(halt?.code ?? '', halt?.evidence ?? {}, rot);
    onlyAdds(before, disk.contents());
    return `halted, ${halt?.code}`;
  }
  const applied = rest.context.applied?.commitId ?? 0;
  expect(applied, 'what was applied stays').toBeGreaterThanOrEqual(commits);
  const seen = seenIn(await answersOf(replica, applied, from), rot);
  const discarded = rest.context.repair?.discardedTail ?? null;
  await replica.stop();
  if (discarded === null)
    expect(disk.contents(), 'nothing is written anew').toEqual(changedByReplay(before, disk));
  else keepsWhatItDiscards(discarded, before, disk, rot);
  await goesOn(disk, still, from, rot);
  if (discarded !== null)
    return `tail discarded and fetched again, ${discarded.keptIn === null ? 'torn' : 'kept as evidence'}`;
  // Nothing but what was not applied yet is gone: a crash before it was received leaves the same.
  if (rot.kind === 'truncated' && lsnOf(rot) === rest.context.applied?.lsn) return 'received again';
  return outcomeOf(seen, rot, disk);
}

/** With a primary it goes on to the end, and answers as before. */
async function goesOn(stopped: SimulatedDisk, still: Still, from: number, rot: Rot): Promise<void> {
  const disk = stopped.after(EVERYTHING);
  const replica = await replicaOn({ disk, primary: () => still.primary });
  expect(await follow(replica, still.commits)).toBe(null);
  seenIn(await answersOf(replica, still.commits, from), rot);
  await replica.stop();
  if (rot.path.startsWith(`${HOME}/wal/`)) expect(walOn(disk).length).toBeGreaterThan(0);
}

/** A halt adds its record and its evidence; all else is as it was. */
function onlyAdds(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): void {
  for (const [path, bytes] of before) expect(after.get(path), `${path} is as it was`).toBe(bytes);
  const added = [...after.keys()].filter((path) => !before.has(path));
  for (const path of added) expect(path).toMatch(/\/(halt|evidence\/.*)$/);
}

/** Replay moves the index, and nothing but the index. */
function changedByReplay(
  before: ReadonlyMap<string, string>,
  disk: SimulatedDisk,
): ReadonlyMap<string, string> {
  return new Map(before).set(INDEX, disk.contents().get(INDEX) as string);
}

/** What broke a rule is kept; what ends too early could have been a torn write, and goes. */
function keepsWhatItDiscards(
  discarded: { readonly fromLsn: number; readonly keptIn: string | null },
  before: ReadonlyMap<string, string>,
  disk: SimulatedDisk,
  rot: Rot,
): void {
  const lsn = lsnOf(rot) as number;
  expect(discarded.fromLsn, 'nothing before the rotten unit is discarded').toBeLessThanOrEqual(lsn);
  if (discarded.keptIn === null) return;
  const start = lsn - rot.at;
  const bytes = (before.get(rot.path) as string).slice(discarded.fromLsn - start);
  const kept = disk.bytesOf(`${HOME}/${discarded.keptIn}`) as Buffer;
  expect(kept.toString('latin1'), 'the rotten bytes are kept').toBe(bytes);
}

async function named(rot: Rot, look: () => Promise<void>): Promise<void> {
  try {
    await look();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${rotText(rot)}: ${message}`, { cause: error });
  }
}
