/**
 * Fails the k-th operation of a run, for every k: once and from then on for ever, done in part or not at all. Behind it
 * nothing is acknowledged, the node halts with the cause or does not start, and what is on disk is recovered from.
 */
import { expect } from 'vitest';
import type { Operation, SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING, SYNCED } from '../../scripts/simulate/survivors.ts';
import { ReplichartError } from '../../src/core/errors.ts';
import { decodeHaltRecord, haltToJson } from '../../src/core/halt.ts';
import { clearHalt } from '../../src/io/halt-file.ts';
import { DataDirectory } from '../../src/io/data-directory.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import { inState } from '../support/replicas.ts';
import { refusesAll, type Attempt, type Ending } from './attempts.ts';
import { recovered } from './crash-points.ts';
import { depth } from './depth.ts';
import { FailingDisk, failureText, type Failure } from './failing-disk.ts';
import { Tally } from './report.ts';
import { HOME } from './simulated-nodes.ts';

export interface Failed {
  /** By what was failed and how it ended. */
  readonly byOutcome: Tally;
  /** By the kind of the operation that failed. */
  readonly byOperation: Tally;
}

/** One failure every so many is tried out of all that there are. */
const QUICK_EVERY = 11;

export async function failEverywhere<Told>(attempt: Attempt<Told>): Promise<Failed> {
  const prepared = await attempt.scenario.before();
  const operations = await operationsOf(attempt, prepared);
  const byOutcome = new Tally();
  const byOperation = new Tally();
  let number = 0;
  for (const operation of operations)
    for (const failure of failuresOf(operation)) {
      number += 1;
      if (depth === 'quick' && number % QUICK_EVERY !== 0) continue;
      byOutcome.add(await failOnce(attempt, prepared, failure, operation));
      byOperation.add(operation.name);
    }
  return { byOutcome, byOperation };
}

/** What the run asks of a disk that does not fail. */
async function operationsOf<Told>(
  { scenario, run }: Attempt<Told>,
  prepared: SimulatedDisk,
): Promise<readonly Operation[]> {
  const whole = new FailingDisk(prepared, { at: 0, code: 'EIO', lasts: 'once', done: 'nothing' });
  await run(whole, scenario.tell());
  return whole.disk.operations;
}

function failuresOf({ number, name, bytes }: Operation): Failure[] {
  const parts: Failure['done'][] = ['nothing', 'all'];
  if (name === 'append')
    parts.push(...new Set([1, bytes >> 1, bytes - 1].filter((part) => part > 0 && part < bytes)));
  return parts.flatMap((done) =>
    (['once', 'for ever'] as const).flatMap((lasts) =>
      (['EIO', 'ENOSPC'] as const).map((code): Failure => ({ at: number, code, lasts, done })),
    ),
  );
}

export async function failOnce<Told>(
  { scenario, run, start, cleared }: Attempt<Told>,
  prepared: SimulatedDisk,
  failure: Failure,
  operation: Operation | null = null,
): Promise<string> {
  const where = `${scenario.name}, ${failureText(failure)} at ${failure.at} (${operation?.name} ${operation?.path})`;
  try {
    const failing = new FailingDisk(prepared, failure);
    const told = scenario.tell();
    const ending = await run(failing, told);
    namesTheCause(ending, failing, failure);
    const isRecorded = isHaltDurable(ending, failing, failure);
    for (const rule of [EVERYTHING, SYNCED]) {
      const disk = failing.disk.after(rule);
      let heard = told;
      if (start !== null && disk.bytesOf(`${HOME}/halt`) !== null) {
        await staysHalted(disk, start);
        await clearHalt(new DataDirectory(disk.files, HOME));
        heard = cleared(told);
      }
      await recovered(scenario, disk, heard, `behind it, ${rule.name}`);
    }
    // A run may take fewer operations than the one before it: what it receives comes in pieces.
    if (failing.failed.length === 0) return 'not reached';
    return `${ending.kind}${ending.kind === 'halted' ? `, ${ending.halt.code}${isRecorded ? '' : ', not recorded'}` : ''}`;
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** What failed is said, by the effect that it failed in and the error of the system. */
function namesTheCause(ending: Ending, failing: FailingDisk, { code }: Failure): void {
  const system = expect.objectContaining({ code }) as unknown;
  switch (ending.kind) {
    case 'whole':
      expect(failing.failed, 'nothing failed where nothing is said').toEqual([]);
      return;
    case 'told':
      expect(isOrIsCausedBy(ending.error, code), 'who asked is told of the error').toBe(true);
      return;
    case 'start refused':
      expect(ending.error).toBeInstanceOf(ReplichartError);
      expect(ending.error).toMatchObject({ code: 'STORAGE_FAILED' });
      expect((ending.error as ReplichartError).evidence).toMatchObject({
        effect: expect.any(String) as unknown,
        error: system,
      });
      return;
    case 'halted': {
      const fault = { effect: expect.any(String) as unknown, error: system };
      // What fails while a halt is recorded stands beside the cause.
      if (ending.halt.code === 'STORAGE_FAILED') expect(ending.halt.evidence).toMatchObject(fault);
      else expect(ending.recordFault).toMatchObject(fault);
      return;
    }
  }
}

function isOrIsCausedBy(error: unknown, code: string): boolean {
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    if ((one as NodeJS.ErrnoException).code === code) return true;
  return false;
}

/** A halt is on disk, durably, unless the disk did not take its record; then that is said. */
function isHaltDurable(ending: Ending, failing: FailingDisk, { lasts }: Failure): boolean {
  const record = failing.disk.after(SYNCED).bytesOf(`${HOME}/halt`);
  if (ending.kind === 'start refused') expect(record, 'a start that is refused records nothing').toBe(null);
  if (ending.kind !== 'halted') return false;
  const isRefused = ending.recordFault?.effect === 'writeHaltRecord';
  if (lasts === 'for ever') expect(isRefused, 'a halt that cannot be recorded says so').toBe(true);
  if (isRefused) return record !== null;
  expect(record, 'the halt is recorded').not.toBe(null);
  expect(haltToJson(decodeHaltRecord(record as Buffer))).toEqual(haltToJson(ending.halt));
  return true;
}

/** A restart stays halted, serves nothing and changes nothing. */
async function staysHalted(
  disk: SimulatedDisk,
  start: (disk: SimulatedDisk) => Promise<PrimaryNode | ReplicaNode>,
): Promise<void> {
  const before = disk.contents();
  const node = await start(disk);
  expect(inState('halted.resting')(node.snapshot()), 'a recorded halt stays').toBe(true);
  const { halt } = node.snapshot().context;
  expect(halt).toEqual(decodeHaltRecord(disk.bytesOf(`${HOME}/halt`) as Buffer));
  await refusesAll(node);
  await node.stop();
  expect(disk.contents(), 'a halted start changes nothing').toEqual(before);
}
