import type { SnapshotSummary } from '../../../../src/core/bootstrap.ts';
import type { bootstrapActors } from '../../../5-bootstrap.ts';
import { otherThan } from '../../history.ts';
import { SNAPSHOT } from '../../outcomes/bootstrap.ts';
import { checkpointOf, historyOf } from '../history.ts';
import { EMPTY_INDEX, withDisk, type Primary, type SnapshotFile, type World } from '../world.ts';
import { tabled, type Answer, type Effects } from './effect.ts';

export const bootstrapEffects: Effects<keyof typeof bootstrapActors> = {
  discardPartial: {
    answer: (world, input) =>
      tabled(
        'discardPartial',
        'discarded',
        input,
        withDisk(world, { incoming: null, base: null, index: EMPTY_INDEX }),
      ),
    // Before their directory is synced, either removal may be durable without the other.
    halves: (world) => [
      withDisk(world, { incoming: null }),
      withDisk(world, { base: null }),
      withDisk(world, { incoming: null, base: null }),
    ],
  },
  fetchSnapshot: {
    answer: fetchSnapshot,
    halves: (world) => {
      const { snapshot, isUp } = world.primary;
      if (snapshot === null || !isUp) return [];
      return [withDisk(world, { incoming: { cut: snapshot.cut, holds: 'x', isDamaged: true } })];
    },
  },
  verifySnapshot: {
    answer: (world, input) => {
      const file = incomingOf(world, input);
      if (file === null) return { asserts: 'what is verified was transferred' };
      const isGood = !file.isDamaged && file.holds === file.cut;
      return isGood
        ? tabled('verifySnapshot', 'whole', input, world)
        : tabled('verifySnapshot', 'of another state', input, world, {
            fault: file.isDamaged ? { checksum: 'another' } : null,
          });
    },
  },
  probeResume: {
    answer: (world, input) => {
      const { primary } = world;
      const { cut } = input.snapshot;
      const at = historyOf(cut);
      if (!primary.isUp) return tabled('probeResume', 'unreachable', input, world);
      if (at === null || !primary.wal.startsWith(at))
        return tabled('probeResume', 'refused: diverged', input, world);
      if (at.length < primary.prunedTo) return tabled('probeResume', 'refused: pruned', input, world);
      return tabled('probeResume', 'resumes at the cut', input, world);
    },
  },
  installSnapshot: {
    answer: (world, input) => {
      const file = incomingOf(world, input);
      if (file === null) return { asserts: 'what is installed was transferred' };
      const { cut } = file;
      const base = { base: file, incoming: null };
      if (file.isDamaged)
        return { fails: 'the file is no longer what was verified', world: withDisk(world, base) };
      const index = { holds: file.holds, checkpoint: { at: cut, snapshotCut: input.cut.commitId } };
      const installed = withDisk(world, { ...base, origin: cut, wal: [], synced: 0, index });
      return tabled('installSnapshot', 'at the cut', input, installed, {
        checkpoint: checkpointOf(cut, input.cut.commitId),
      });
    },
    // The file is in its place, and the index is still being built; its checkpoint comes last.
    halves: (world, input) => {
      const file = incomingOf(world, input);
      if (file === null) return [];
      const moved = { base: file, incoming: null };
      return [
        withDisk(world, moved),
        withDisk(world, { ...moved, index: { holds: file.holds, checkpoint: null } }),
      ];
    },
  },
};

/** The transferred file that a summary speaks of. */
function incomingOf({ disk: { incoming } }: World, { cut }: SnapshotSummary): SnapshotFile | null {
  return incoming !== null && incoming.cut === historyOf(cut) ? incoming : null;
}

function fetchSnapshot(world: World, input: { readonly clusterId: string }): Answer {
  const { snapshot, isUp } = world.primary;
  if (!isUp) return tabled('fetchSnapshot', 'unreachable', input, world);
  if (snapshot === null) return tabled('fetchSnapshot', 'none', input, world);
  if (snapshot.fault === 'a damaged manifest')
    return tabled('fetchSnapshot', 'a damaged manifest', input, world);
  const isForeign = snapshot.fault === 'of another cluster';
  const stops = snapshot.fault === 'a damaged block';
  const named = isForeign || stops ? snapshot.fault : 'fetched';
  const summary: SnapshotSummary = {
    ...SNAPSHOT,
    clusterId: isForeign ? otherThan(input.clusterId) : input.clusterId,
    cut: checkpointOf(snapshot.cut, 0),
  };
  const behind = withDisk(world, { incoming: fileOf(snapshot) });
  return tabled('fetchSnapshot', named, input, behind, { snapshot: summary });
}

/** What stands on disk when a snapshot was transferred, as far as its blocks were what the manifest says. */
function fileOf({ cut, fault }: NonNullable<Primary['snapshot']>): SnapshotFile {
  if (fault === null) return { cut, holds: cut, isDamaged: false };
  return { cut, holds: 'x', isDamaged: fault === 'a damaged block' };
}
