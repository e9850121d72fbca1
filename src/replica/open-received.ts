import { haltByCheck } from '../core/halt.ts';
import { checkpointIsIntact, prefixIsProven } from '../core/checks/recovery.ts';
import { firstViolation } from '../core/checks/check.ts';
import { assertThat, ReplichartError } from '../core/errors.ts';
import type { Checkpoint } from '../core/storage/checkpoint.ts';
import type { OpenedWal } from '../core/validation.ts';
import { findReceivedEnd } from '../io/received-end.ts';
import type { Storage } from '../io/storage.ts';
import { surveyDisk } from '../io/wal-survey.ts';
import type { OpenStorage } from '../node/node-storage.ts';

/**
 * Opens the WAL of a replica where its checkpoint stands. What was received behind it is proved and applied again; a
 * unit that never came whole is discarded.
 */
export async function openReceived({ wal, storage }: OpenStorage, clusterId: string): Promise<OpenedWal> {
  const survey = await surveyDisk(storage, wal, clusterId);
  const facts = { recordedHalt: null, survey };
  const violated = firstViolation([checkpointIsIntact, prefixIsProven], facts);
  if (violated !== undefined) {
    const { code, message, evidence, invariant } = haltByCheck(violated, facts);
    throw new ReplichartError(code, message, { evidence, invariant });
  }
  assertThat(survey.prefix.state === 'proven', 'a proven prefix leads to a chain');
  const applied = survey.checkpoint.state === 'intact' ? survey.checkpoint.value : await begin(storage);
  const receivedLsn = Math.max(applied.lsn, await findReceivedEnd(wal, clusterId));
  await wal.truncate(receivedLsn);
  // What an earlier process wrote may still be in the cache only, and the index is never ahead of the log.
  await wal.syncFrom(applied.lsn);
  return { receivedLsn, validated: survey.prefix.chain, applied };
}

/** Without a checkpoint whatever the index holds was left by a bootstrap that never ended: it is nothing. */
async function begin(storage: Storage): Promise<Checkpoint> {
  await storage.discardEntries();
  return storage.initialise();
}
