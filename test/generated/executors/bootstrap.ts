import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { bootstrapActors } from '../../../machines/5-bootstrap.ts';
import type { InstalledFacts } from '../../../src/core/bootstrap.ts';
import { crc32c } from '../../../src/core/bytes.ts';
import type { World } from '../world.ts';
import { injected, peer, seam, source, world, type EffectExecutors } from './executor.ts';

const flip = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
};

const through = (one: World) => {
  one.relay.rule(null);
  one.relay.leadTo(one.history.followed.url);
  // A probe reads the header at the cut, and holds no stream.
  one.source.hold(false);
};

const drop = world(async ({ relay }) => relay.rule({ of: /./, drop: true }));
const guarded = world(async ({ relay, history }) => relay.leadTo(history.urls.guarded));

/** How each way in which a bootstrap goes on or ends is caused. */
export const bootstrapExecutors: Record<keyof typeof bootstrapActors, EffectExecutors> = {
  discardPartial: {
    outcomes: {
      discarded: world(async ({ dataDir }) => {
        await mkdir(join(dataDir, 'incoming'), { recursive: true });
        await writeFile(join(dataDir, 'incoming', '7.base'), 'what an earlier bootstrap left');
      }),
    },
    fails: world(async ({ disk }) => disk.failNext('removeTree', /incoming$/)),
  },
  fetchSnapshot: {
    outcomes: {
      fetched: world(async (one) => through(one)),
      none: world(async ({ relay, history }) => relay.leadTo(history.urls.withoutSnapshot)),
      refused: guarded,
      unreachable: drop,
      'a damaged manifest': peer(
        'a primary does not offer a manifest that it sees is damaged',
        async ({ relay }) =>
          relay.rule({ of: /manifest/, body: (piece, offset) => (offset === 0 ? flip(piece, 40) : piece) }),
      ),
      'of another cluster': world(async ({ relay, history }) => relay.leadTo(history.urls.otherCluster)),
      'a damaged block': peer('on its way', async ({ relay }) =>
        relay.rule({ of: /blocks/, body: (piece, offset) => (offset === 0 ? flip(piece, 1000) : piece) }),
      ),
    },
    fails: world(async ({ disk }) => disk.failNext('open', /incoming/)),
  },
  verifySnapshot: {
    outcomes: {
      whole: world(),
      'of another state': world(async ({ dataDir }) => {
        const path = join(dataDir, 'incoming', '1.base');
        const bytes = await readFile(path);
        await writeFile(path, flip(bytes, bytes.length >> 1));
      }),
    },
    fails: world(async ({ disk }) => disk.failNext('open', /incoming/)),
  },
  probeResume: {
    outcomes: {
      'resumes at the cut': world(async (one) => through(one)),
      'resumes elsewhere': peer('a primary’s WAL goes on where it was cut', async (one) => {
        through(one);
        one.relay.rule({
          of: /\/wal\?/,
          body: (piece, offset) => (offset === 0 ? headerAt(piece, 1n) : piece),
        });
      }),
      'refused: pruned': peer('a primary does not prune yet', async (one) => {
        through(one);
        one.relay.rule({ of: /\/wal\?/, refuse: 'WAL_PRUNED' });
      }),
      'refused: diverged': world(async (one) => {
        through(one);
        one.relay.leadTo(one.history.urls.diverged);
      }),
      'refused for now': guarded,
      unreachable: drop,
    },
    fails: source('the HTTP source answers where others throw', async (one) =>
      one.source.failNext('openWal', injected()),
    ),
  },
  installSnapshot: {
    outcomes: {
      'at the cut': world(async (one) => one.source.hold(true)),
      'with a checkpoint elsewhere': seam('a lie: it installed one cut, and says another', async (one) => {
        one.left.appliedBeyond = 1;
        return {
          alter: (facts: InstalledFacts) => ({
            ...facts,
            checkpoint: { ...facts.checkpoint, ...one.units.chains[2] },
          }),
        };
      }),
    },
    fails: world(async ({ disk }) => disk.failNext('rename', /base$/)),
  },
};

/** A segment header that says that it stands elsewhere, and carries its checksum. */
function headerAt(bytes: Buffer, beyond: bigint): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeBigUInt64LE(copy.readBigUInt64LE(40) + beyond, 40);
  copy.writeUInt32LE(crc32c(copy.subarray(0, 92)), 92);
  return copy;
}
