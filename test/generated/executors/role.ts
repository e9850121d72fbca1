import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CLUSTER, NODE, OTHER_CLUSTER, OTHER_NODE } from '../../../machines/model/history.ts';
import { DataDirectory } from '../../../src/io/data-directory.ts';
import { keepEvidence } from '../../../src/io/halt-file.ts';
import { nodeFileSystem } from '../../../src/io/node-file-system.ts';
import type { roleActors } from '../../../machines/1-role.ts';
import { encodeHaltRecord } from '../../../src/core/halt.ts';
import { encodeIdentity, newIdentity, UNBOUND_CLUSTER, type Identity } from '../../../src/core/identity.ts';
import { FORMAT_VERSION } from '../../../src/core/limits.ts';
import type { World } from '../world.ts';
import {
  injected,
  seam,
  seamThrows,
  source,
  world,
  type EffectExecutors,
  type Executor,
} from './executor.ts';

const identity = (change: (role: Identity['role']) => Partial<Identity> = () => ({})): Executor =>
  world((one) => {
    const identity = { ...newIdentity(one.role, CLUSTER, NODE), ...change(one.role) };
    return placeIdentity(one, encodeIdentity(identity));
  });

async function placeIdentity(one: World, bytes: Buffer): Promise<void> {
  one.left.identity = bytes;
  await writeFile(join(one.dataDir, 'identity'), bytes);
}

/** What every node does, and how each way in which it ends is caused. */
export const roleExecutors: Record<keyof typeof roleActors, EffectExecutors> = {
  readIdentity: {
    outcomes: {
      absent: world(),
      'absent, and data stands there': world((one) =>
        writeFile(join(one.dataDir, '00000000000000000000.wal'), 'somebody’s data'),
      ),
      damaged: world((one) => {
        const bytes = encodeIdentity(newIdentity(one.role, CLUSTER, NODE));
        bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1;
        return placeIdentity(one, bytes);
      }),
      'of this node': identity(),
      'of another format': identity(() => ({ formatVersion: FORMAT_VERSION + 1 })),
      'of the other role': identity((role) => ({ role: role === 'primary' ? 'replica' : 'primary' })),
      'of another cluster': identity(() => ({ clusterId: OTHER_CLUSTER })),
      'of another node': identity(() => ({ nodeId: OTHER_NODE })),
      'of this node, which met no primary yet': identity(() => ({ clusterId: UNBOUND_CLUSTER })),
    },
    fails: world(async (one) => {
      await placeIdentity(one, encodeIdentity(newIdentity(one.role, CLUSTER, NODE)));
      one.disk.failNext('handle.read', /identity$/);
    }),
  },
  claimIdentity: {
    outcomes: { claimed: world() },
    fails: world(async ({ disk }) => disk.failNext('link', /identity$/)),
  },
  readHaltRecord: {
    outcomes: {
      none: world(),
      recorded: world(async (one) => {
        one.left.haltRecord = 'present';
        await writeFile(
          join(one.dataDir, 'halt'),
          encodeHaltRecord({
            code: 'WAL_CORRUPT',
            invariant: 'P5-I5',
            rule: 'P5-I5 checksumMatches',
            message: 'an earlier run halted',
            evidence: {},
            action: 'look at it',
          }),
        );
      }),
    },
    fails: world(async ({ disk }) => disk.failNext('stat', /halt$/)),
  },
  writeHaltRecord: {
    outcomes: {
      written: world(async (one) => {
        one.left.haltRecord = 'present';
      }),
    },
    fails: world(async ({ disk }) => disk.failNext('rename', /halt$/)),
  },
  drain: {
    outcomes: { drained: world() },
    fails: seamThrows('draining waits for writes and does none of its own'),
  },
  keepEvidence: {
    outcomes: {
      kept: seam(
        'no unit was looked at yet, so there are no bytes to be kept: the seam keeps some',
        async (one) => {
          one.left.evidence += 1;
          const directory = new DataDirectory(nodeFileSystem, one.dataDir);
          return {
            answer: () => keepEvidence(directory, nodeFileSystem, 'STORAGE_FAILED', Buffer.from('bytes')),
          };
        },
      ),
      'nothing to keep': world(),
    },
    fails: seamThrows('no unit was looked at yet, so there are no bytes whose keeping could fail'),
  },
  release: {
    outcomes: { released: world() },
    fails: source('closing files of which none is open cannot fail; a host’s own source can', async (one) =>
      one.source.failNext('close', injected()),
    ),
  },
};
