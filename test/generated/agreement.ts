import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deepStrictEqual } from 'node:assert/strict';
import { matchesState, type AnyMachineSnapshot, type StateValue } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import { hashAfter, unitsOf } from '../../machines/model/history.ts';
import { runningIn } from '../../machines/model/pure-chart.ts';
import { decodeHaltRecord, type HaltReason } from '../../src/core/halt.ts';
import { decodeIdentity } from '../../src/core/identity.ts';
import { positionOf, type Position } from '../../src/core/position.ts';
import { segmentStartLsn } from '../../src/core/wal/segment-header.ts';
import { fingerprint } from '../support/files.ts';
import { answersAgree } from './answers.ts';
import { contextOf, fileOf, type World } from './world.ts';

/** Throws where the node, its answers or its files are not as the pure chart says; `move`: what happened last. */
export async function agreeWith(
  world: World,
  expected: AnyMachineSnapshot,
  move: string | null,
): Promise<void> {
  const { chart, gates } = world;
  const value = expected.value as StateValue;
  same('what happened beside the path', chart.unexpected, []);
  same('the state', chart.rested.value, value);
  same('the status of the chart', chart.rested.status, expected.status);
  const running = runningIn(expected).map(({ id }) => id);
  // The host of a refused start has told it to stop by now.
  if (!chart.isRefused) same('the effects at work', [...gates.waiting].sort(), running.sort());
  same('the fault that was injected has struck', world.disk.pending, null);
  const meant = expected.context as NodeContext;
  same('what the node knows', knowledgeOf(world, contextOf(world)), expectedOf(world, meant));
  same('the halt', outlineOf(contextOf(world).halt), outlineOf(meant.halt));
  if (world.role === 'replica') primaryAgrees(world, meant);
  await filesAgree(world, value, move);
  await answersAgree(world, value, expectedOf(world, meant), contextOf(world));
}

function same(what: string, found: unknown, expected: unknown): void {
  deepStrictEqual(
    found,
    expected,
    `${what}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
  );
}

/** What of a context the model and the node must agree on. */
export interface Knowledge {
  readonly received: number | null;
  readonly validated: Position | null;
  readonly applied: Position | number | null;
  readonly proven: readonly (readonly number[])[];
  readonly inFlight: readonly number[] | null;
  readonly clusterId: string | null;
  readonly nodeId: string | null;
  readonly recordedHalt: HaltReason | null;
  readonly haltRecordFault: string | null;
  readonly isDetached: boolean;
  readonly hasEvidence: boolean;
}

type At = (position: Position) => Position;

function knowledge({ role }: World, context: NodeContext, at: At): Knowledge {
  const { receivedLsn, validated, applied, identity, proven, inFlight } = context;
  const lsns = ({ from, to }: { from: Position; to: Position }) => [at(from).lsn, at(to).lsn];
  const known = applied && at(positionOf(applied));
  return {
    received: receivedLsn === null ? null : at({ commitId: 0, historyHash: '', lsn: receivedLsn }).lsn,
    validated: validated && at(positionOf(validated)),
    // A primary begins its first segment by itself: there the model knows of commits and not of headers.
    applied: role === 'primary' ? (known?.commitId ?? null) : known,
    proven: proven.map(lsns),
    inFlight: inFlight && lsns(inFlight),
    clusterId: identity?.clusterId ?? null,
    nodeId: identity?.nodeId ?? null,
    recordedHalt: context.recordedHalt,
    haltRecordFault: context.haltRecordFault?.code ?? null,
    isDetached: context.detachment !== null,
    hasEvidence: context.evidenceFile !== null,
  };
}

const knowledgeOf = (world: World, context: NodeContext) => knowledge(world, context, (position) => position);

/** The k-th unit of the model ends where the k-th unit of the real history ends. */
function expectedOf(world: World, context: NodeContext): Knowledge {
  return knowledge(world, context, (position) => {
    const units = unitsOf(position);
    const chain = world.units.chains[units];
    if (chain === undefined) throw new Error(`the real history has no unit ${units}`);
    if (position.historyHash !== '') same('the history of the model', position.historyHash, hashAfter(units));
    return positionOf(chain);
  });
}

/**
 * All of a reason that does not depend on where exactly the bytes stand: those of the model are elsewhere, and another
 * operating system says other words.
 */
function outlineOf(halt: HaltReason | null) {
  if (halt === null) return null;
  const { evidence, message, ...rest } = halt;
  const words = halt.rule === null ? { effect: evidence['effect'] } : { message };
  return { ...rest, ...words, evidence: Object.keys(evidence).sort() };
}

/** What the primary said last is known as it said it; where the model's primary is further on, the real one is. */
function primaryAgrees(world: World, meant: NodeContext): void {
  const { primaryDurable, receivedLsn } = contextOf(world);
  same('what the primary said of itself', primaryDurable, world.left.primarySaid);
  same('whether it said anything', primaryDurable === null, meant.primaryDurable === null);
  if ((meant.primaryDurable?.lsn ?? 0) > (meant.receivedLsn ?? 0))
    same('whether it is further on', (primaryDurable?.lsn ?? 0) > (receivedLsn ?? 0), true);
}

async function filesAgree(world: World, value: StateValue, move: string | null): Promise<void> {
  const { left } = world;
  const identity = await fileOf(world, 'identity');
  if (move === 'claimIdentity: claimed') {
    same('the identity file', identity && decodeIdentity(identity), {
      state: 'present',
      identity: contextOf(world).identity,
    });
    left.identity = identity;
  }
  same('the bytes of the identity file', identity, left.identity);
  const record = await fileOf(world, 'halt');
  same('whether a halt is recorded', record === null ? 'absent' : 'present', left.haltRecord);
  if (record !== null && contextOf(world).halt !== null)
    same('the halt record', decodeHaltRecord(record), readBack(contextOf(world).halt));
  same('how much evidence is kept', (await namesIn(join(world.dataDir, 'evidence'))).length, left.evidence);
  const received = contextOf(world).receivedLsn;
  const end = await walAgrees(world);
  if (received !== null && left.damagedFrom === Infinity)
    same('where the WAL on disk ends', end ?? cutOf(world), received);
  const { dataDir } = world;
  if (contextOf(world).applied?.snapshotCut === 1)
    same(
      'the base file',
      await readFile(join(dataDir, 'base', '1.base')),
      await readFile(join(world.history.replica.onSnapshot, 'base', '1.base')),
    );
  if (move === 'discardPartial: discarded')
    for (const name of ['incoming', 'base'])
      same(`what is left in ${name}`, await namesIn(join(dataDir, name)), []);
  if (matchesState({ halted: 'refusing' }, value)) {
    left.refusedWith ??= await fingerprint(dataDir);
    same('the files of a node whose start is refused', await fingerprint(dataDir), left.refusedWith);
  }
}

/** A reason as it comes back from a file or an answer. */
export function readBack(halt: HaltReason | null): unknown {
  return JSON.parse(JSON.stringify(halt));
}

/** Where the WAL of a node without WAL would begin: behind its base file, or with history. */
function cutOf(world: World): number {
  return contextOf(world).applied?.snapshotCut === 1 ? (world.units.chains[1]?.lsn ?? 0) : 0;
}

/** Every byte of WAL on disk is the primary's, up to where the path has damaged it; says where the last file ends. */
export async function walAgrees({ units: { wal }, dataDir, left }: World): Promise<number | null> {
  let end: number | null = null;
  for (const name of await namesIn(join(dataDir, 'wal'))) {
    const start = segmentStartLsn(name) ?? 0;
    const bytes = await readFile(join(dataDir, 'wal', name));
    end = start + bytes.length;
    const good = Math.max(start, Math.min(end, left.damagedFrom));
    if (!wal.subarray(start, good).equals(bytes.subarray(0, good - start)))
      throw new Error(`wal/${name} is not the primary's, byte for byte`);
  }
  return end;
}

export async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
