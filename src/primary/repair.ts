import { assertThat } from '../core/errors.ts';
import type { DiskSurvey } from '../core/recovery/survey.ts';
import type { Checkpoint } from '../core/storage/checkpoint.ts';
import type { ChainState } from '../core/wal/chain.ts';
import { ProvenBatch } from '../core/wal/proof.ts';
import type { Storage } from '../io/storage.ts';
import type { WalFiles } from '../io/wal/files.ts';
import { walkWal } from '../io/wal/walk.ts';
import { startSegment } from './segment-roll.ts';

/**
 * Brings the files of a primary to where the survey says that history ends: cuts what was never acknowledged, makes
 * durable what is kept, replays it into the index, and completes a segment roll that a crash interrupted. Each step
 * may be interrupted and done again.
 */
export async function repairPrimary(
  wal: WalFiles,
  storage: Storage,
  survey: DiskSurvey,
): Promise<{ chain: ChainState; checkpoint: Checkpoint }> {
  const { prefix, tail } = survey;
  const end = tail.provenTo;
  assertThat(
    prefix.state === 'proven' && end !== null,
    'a primary is repaired only where its prefix is proven',
  );
  let checkpoint =
    survey.checkpoint.state === 'intact' ? survey.checkpoint.value : await storage.initialise();
  await wal.truncate(end.lsn);
  await wal.syncFrom(checkpoint.lsn);
  for await (const { batch, stop } of walkWal(wal, prefix.chain, end.lsn)) {
    assertThat(stop === null, 'what the survey proved is proved again');
    checkpoint = await storage.apply(batch, checkpoint);
  }
  if (end.expects === 'frame') return { chain: end, checkpoint };
  const chain = await startSegment(wal, end);
  checkpoint = await storage.apply(ProvenBatch.authored(end, chain, []), checkpoint);
  return { chain, checkpoint };
}
