/** Real nodes on simulated disks, and a history that is known without them. */
import { pino } from 'pino';
import { expect } from 'vitest';
import { sourceOf } from '../../scripts/simulate/source.ts';
import type { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { configOf, portsOf } from '../../src/api/node-host.ts';
import { ReplichartError } from '../../src/core/errors.ts';
import { prepareCommit, type Operation } from '../../src/core/wal/operation.ts';
import { openPrimary, type PrimaryNode } from '../../src/primary/primary.ts';
import { openReplica, type ReplicaNode } from '../../src/replica/replica.ts';
import type { ReadView } from '../../src/node/read-view.ts';
import { CLUSTER, NODE } from '../support/nodes.ts';
import { visible, type Written } from '../../scripts/simulate/visibility-oracle.ts';

export const HOME = '/data/node';
const logger = pino({ level: 'silent' });

export interface Simulated {
  readonly disk: SimulatedDisk;
  readonly primary?: () => PrimaryNode | null;
  readonly bootstrap?: 'wal' | 'snapshot';
}

const portsOn = ({ disk, primary }: Simulated) => ({
  files: disk.files,
  indexStore: (_files: unknown, directory: string) => disk.indexStore(directory),
  logger,
  newUuid: () => NODE,
  walSource: () => sourceOf(primary ?? (() => null)),
});

export function primaryOn(disk: SimulatedDisk): Promise<PrimaryNode> {
  const config = configOf('primary', { dataDir: HOME, clusterId: CLUSTER, nodeId: NODE });
  return openPrimary(config, portsOf(config, portsOn({ disk })));
}

export function replicaOn(simulated: Simulated): Promise<ReplicaNode> {
  const config = configOf('replica', {
    dataDir: HOME,
    clusterId: CLUSTER,
    nodeId: NODE,
    primaryUrl: 'http://127.0.0.1:1',
    replication: 'enabled',
    bootstrap: simulated.bootstrap ?? 'wal',
  });
  return openReplica(config, portsOf(config, portsOn(simulated)));
}

export const KEYS = ['a', 'b', 'c'];
const bytes = (text: string) => Buffer.from(text);

/** The operations of the n-th commit: puts that overwrite each other, and deletions. */
export function operationsOf(commitId: number): Operation[] {
  const key = KEYS[commitId % KEYS.length] as string;
  const other = KEYS[(commitId + 1) % KEYS.length] as string;
  const put: Operation = { op: 'put', collection: 'k', id: key, document: `${key} of commit ${commitId}` };
  return commitId % 4 === 3 ? [put, { op: 'delete', collection: 'k', id: other }] : [put];
}

export const commitOf = (commitId: number) => prepareCommit(operationsOf(commitId));

/** All that so many commits wrote, in their order. */
export function writtenBy(commits: number): Written[] {
  return Array.from({ length: commits }, (_, index) => index + 1).flatMap((commitId) =>
    operationsOf(commitId).map((operation) => ({
      commitId,
      collection: bytes(operation.collection as string),
      id: bytes(operation.id as string),
      document: operation.op === 'put' ? bytes(operation.document as string) : null,
    })),
  );
}

/** What is refused, as `code`; `expect().rejects` holds on to every error, and its node, until the test ends. */
export async function refusalOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
  } catch (error) {
    return error instanceof ReplichartError ? error.code : String(error);
  }
  return 'nothing is refused';
}

type Reader = Pick<PrimaryNode, 'gate'>;

export async function expectReadsBlocked({ gate }: Reader): Promise<void> {
  expect(await refusalOf(gate.read(() => Promise.resolve()))).toBe('READS_BLOCKED');
}

/** Every view from a commit on shows what the history of so many commits says, for every key. */
export async function expectHistory({ gate }: Reader, commits: number, from = 0): Promise<void> {
  const all = writtenBy(commits);
  for (let bound = from; bound <= commits; bound += 1)
    await gate.read(
      async (view: ReadView) => {
        for (const key of KEYS) {
          const expected = visible(all, bound, bytes('k'), bytes(key));
          const found = await view.get('k', key);
          expect([found?.commitId, found?.document.toString()], `${key} at ${bound}`).toEqual([
            expected?.commitId,
            expected?.document?.toString(),
          ]);
        }
      },
      { at: bound },
    );
}

/** All WAL of a node, its segments one after another. */
export function walOn(disk: SimulatedDisk): Buffer {
  const names = [...disk.contents().keys()].filter((name) => name.startsWith(`${HOME}/wal/`));
  return Buffer.concat(names.map((name) => disk.bytesOf(name) as Buffer));
}
