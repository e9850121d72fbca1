import { join } from 'node:path';
import { assertThat } from '../core/errors.ts';
import { genesisChain } from '../core/wal/chain.ts';
import { FRAME_BYTES_MAX } from '../core/limits.ts';
import type { RecoveryPlan } from '../core/recovery/decision.ts';
import type { RepairFacts } from '../core/recovery/repair.ts';
import type { DiskSurvey } from '../core/recovery/survey.ts';
import { discardLeftovers, openBases } from '../io/base-files.ts';
import type { DataDirectory } from '../io/data-directory.ts';
import { ensureDirectory, replaceFile, TEMPORARY_SUFFIX } from '../io/durable-file.ts';
import { surveyDisk } from '../io/wal/survey.ts';
import type { WalFiles } from '../io/wal/files.ts';
import type { OpenStorage } from '../node/node-storage.ts';

/** Observes all that recovery decides by. Changes nothing. */
export async function surveyReplica(
  directory: DataDirectory,
  { wal, storage }: OpenStorage,
  clusterId: string,
): Promise<DiskSurvey> {
  const { base, originLsn, leftovers } = await openBases(directory, storage, wal);
  const partials = [...(await findPartials(directory)), ...leftovers];
  return surveyDisk(storage, wal, clusterId, { base, partials }, originLsn);
}

/** What an interrupted start left beside base files and WAL. */
async function findPartials({ files, root, incomingDirectory }: DataDirectory): Promise<string[]> {
  const temporary = (await files.list(root)).filter((name) => name.endsWith(TEMPORARY_SUFFIX));
  const incoming = (await files.list(incomingDirectory)).map((name) => `incoming/${name}`);
  return [...temporary, ...incoming];
}

/** Does what the plan says, step by step; each may be interrupted and done again. */
export async function repairReplica(
  directory: DataDirectory,
  { wal, storage }: OpenStorage,
  plan: RecoveryPlan,
  survey: DiskSurvey,
): Promise<RepairFacts> {
  const has = (step: RecoveryPlan['steps'][number]) => plan.steps.includes(step);
  const discardedPartials = has('discard partials') ? survey.partials : [];
  await discardLeftovers(directory, wal, discardedPartials);
  if (has('discard index')) await storage.discardEntries();
  if (plan.outcome === 'bootstrap') return { resume: null, discardedPartials, discardedTail: null };
  assertThat(survey.prefix.state === 'proven', 'a node goes on only from a proven prefix');
  const applied = survey.checkpoint.state === 'intact' ? survey.checkpoint.value : await storage.initialise();
  const validated =
    survey.checkpoint.state === 'intact' ? survey.prefix.chain : genesisChain(survey.prefix.chain.clusterId);
  const receivedLsn = survey.tail.provenTo?.lsn ?? applied.lsn;
  const discardedTail = await discardTail(directory, wal, survey, receivedLsn);
  // What an earlier process wrote may be in the cache only, and the index is never ahead of the log.
  await wal.syncFrom(applied.lsn);
  return { resume: { receivedLsn, validated, applied }, discardedPartials, discardedTail };
}

/** Cuts the WAL behind what is proven; bytes that break a rule are kept first, under a name that is theirs. */
async function discardTail(
  directory: DataDirectory,
  wal: WalFiles,
  { wal: { endLsn }, tail: { stop } }: DiskSurvey,
  receivedLsn: number,
): Promise<RepairFacts['discardedTail']> {
  let keptIn: string | null = null;
  if (stop?.kind === 'invalid') {
    keptIn = `evidence/discarded-at-${receivedLsn}`;
    await ensureDirectory(directory.files, directory.evidenceDirectory);
    await replaceFile(
      directory.files,
      join(directory.root, keptIn),
      await wal.read(receivedLsn, FRAME_BYTES_MAX),
    );
  }
  await wal.truncate(receivedLsn);
  return stop === null
    ? null
    : { fromLsn: receivedLsn, bytes: endLsn - receivedLsn, rule: stop.rule, keptIn };
}
