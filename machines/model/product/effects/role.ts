import type { roleActors } from '../../../1-role.ts';
import { withDisk, withoutProcess, NO_STREAM, type World } from '../world.ts';
import { tabled, type Effects } from './effect.ts';

/** Before everything that was under way has ended, nobody has drained or released anything. */
const isQuiet = ({ unheard }: World) => unheard.length === 0;

export const roleEffects: Effects<keyof typeof roleActors> = {
  readIdentity: {
    answer: (world, input) =>
      tabled('readIdentity', world.disk.identity === 'absent' ? 'absent' : 'of this node', input, world),
  },
  claimIdentity: {
    answer: (world, input) =>
      tabled('claimIdentity', 'claimed', input, withDisk(world, { identity: 'ours' })),
    halves: (world) => [
      withDisk(world, { hasTemporary: true }),
      withDisk(world, { hasTemporary: true, identity: 'ours' }),
    ],
  },
  readHaltRecord: {
    answer: (world, input) => {
      const { halt } = world.disk;
      return halt === null
        ? tabled('readHaltRecord', 'none', input, world)
        : { outcome: 'recorded by an earlier run', output: halt, world };
    },
  },
  drain: {
    answer: (world, input) =>
      isQuiet(world) ? tabled('drain', 'drained', input, { ...world, network: NO_STREAM }) : null,
  },
  keepEvidence: { answer: (world, input) => tabled('keepEvidence', 'nothing to keep', input, world) },
  writeHaltRecord: {
    answer: (world, input) => tabled('writeHaltRecord', 'written', input, withDisk(world, { halt: input })),
    halves: (world) => [withDisk(world, { hasTemporary: true })],
  },
  release: {
    answer: (world, input) =>
      isQuiet(world) ? tabled('release', 'released', input, withoutProcess(world)) : null,
  },
};
