import { join } from 'node:path';
import { assertThat } from '../core/errors.ts';
import { BASE_HEADER_BYTES, decodeBaseHeader } from '../core/storage/base-format.ts';
import type { Checkpoint } from '../core/storage/checkpoint.ts';
import { genesisChain } from '../core/wal/chain.ts';
import { FRAME_BYTES_MAX } from '../core/limits.ts';
import type { RecoveryPlan } from '../core/recovery/decision.ts';
import type { RepairFacts } from '../core/recovery/repair.ts';
import type { DiskSurvey } from '../core/recovery/survey.ts';
import { BaseFile } from '../io/base-file.ts';
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
  const found = await storage.readCheckpoint();
  const checkpoint = found.state === 'intact' ? found.checkpoint : null;
  const base = await findBase(directory, checkpoint);
  if (base.file !== null) await storage.useBase(base.file);
  if (checkpoint !== null && checkpoint.snapshotCut > 0 && wal.segments.length === 0)
    wal.beginAt(base.originLsn ?? checkpoint.lsn);
  const partials = await findPartials(directory, checkpoint);
  return surveyDisk(
    storage,
    wal,
    clusterId,
    { base: { state: base.state, cutCommitId: base.cutCommitId }, partials },
    base.originLsn,
  );
}

async function findBase(
  directory: DataDirectory,
  checkpoint: Checkpoint | null,
): Promise<DiskSurvey['base'] & { readonly file: BaseFile | null; readonly originLsn: number | null }> {
  if (checkpoint === null || checkpoint.snapshotCut === 0)
    return { state: 'not needed', cutCommitId: null, file: null, originLsn: 0 };
  const cutCommitId = checkpoint.snapshotCut;
  const path = directory.baseFile(cutCommitId);
  if ((await directory.files.stat(path)) === null) {
    return { state: 'missing', cutCommitId, file: null, originLsn: null };
  }
  const file = await BaseFile.open(directory.files, path);
  const bytes = file.readRecord(0, BASE_HEADER_BYTES);
  const header = bytes === null ? null : decodeBaseHeader(bytes);
  if (header?.cut.commitId === cutCommitId)
    return { state: 'intact', cutCommitId, file, originLsn: header.cut.lsn };
  await file.close();
  return { state: 'damaged', cutCommitId, file: null, originLsn: null };
}

/** Everything in the directory that only an interrupted start can have left. */
async function findPartials(directory: DataDirectory, checkpoint: Checkpoint | null): Promise<string[]> {
  const { files, root, incomingDirectory, baseDirectory } = directory;
  const keep = checkpoint === null ? null : `${checkpoint.snapshotCut}.base`;
  const temporary = (await files.list(root)).filter((name) => name.endsWith(TEMPORARY_SUFFIX));
  const incoming = (await files.list(incomingDirectory)).map((name) => `incoming/${name}`);
  const bases = (await files.list(baseDirectory)).filter((name) => name !== keep);
  return [...temporary, ...incoming, ...bases.map((name) => `base/${name}`)];
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
  for (const name of discardedPartials) await directory.files.remove(join(directory.root, name));
  if (discardedPartials.length > 0) await syncParents(directory, discardedPartials);
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

async function syncParents(directory: DataDirectory, names: readonly string[]): Promise<void> {
  const parents = new Set(names.map((name) => (name.includes('/') ? name.slice(0, name.indexOf('/')) : '.')));
  for (const parent of parents) await directory.files.syncDirectory(join(directory.root, parent));
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
