import type { NodeSnapshot } from '../../src/index.ts';
import type { Replica } from '../../src/index.ts';
import { startReplica, temporaryDirectory } from './nodes.ts';
import { scriptedSource, type ScriptedSource } from './sources.ts';
import { stateLine } from '../../src/core/state-line.ts';

/** A replica by its public handle, or the node behind it. */
type Watched = Pick<Replica, 'snapshot' | 'subscribe'>;

/** Resolves as soon as the replica's chart is as the test wants it; fails with the state it is in. */
export function until(
  replica: Watched,
  wanted: (snapshot: NodeSnapshot) => boolean,
  what = 'the state',
): Promise<NodeSnapshot> {
  return new Promise((resolve, reject) => {
    const look = (snapshot: NodeSnapshot) => {
      if (!wanted(snapshot)) return false;
      clearTimeout(timer);
      stop();
      resolve(snapshot);
      return true;
    };
    const timer = setTimeout(() => {
      stop();
      const { value, context } = replica.snapshot();
      reject(
        new Error(
          `waited for ${what}; it is ${stateLine(value)}, received ${context.receivedLsn ?? 'nothing'}, ` +
            `halt ${JSON.stringify(context.halt)}, detachment ${context.detachment ?? 'none'}`,
        ),
      );
    }, 15_000);
    const stop = replica.subscribe(look);
    look(replica.snapshot());
  });
}

export const inState = (prefix: string) => (snapshot: NodeSnapshot) =>
  stateLine(snapshot.value)
    .split(' | ')
    .some((line) => line === prefix || line.startsWith(`${prefix}.`));

export const halted = (replica: Watched) => until(replica, inState('halted.resting'), 'a halt');
export const detached = (replica: Watched) =>
  until(replica, inState('replicating.ingesting.detached'), 'detachment');
export const receivedLsn = (replica: Watched, lsn: number) =>
  until(replica, ({ context }) => context.receivedLsn === lsn, `received LSN ${lsn}`);

export const validatedLsn = (replica: Watched, lsn: number) =>
  until(replica, ({ context }) => context.validated?.lsn === lsn, `validated LSN ${lsn}`);

export const appliedCommit = (replica: Watched, commitId: number) =>
  until(replica, ({ context }) => context.applied?.commitId === commitId, `applied commit ${commitId}`);
export const appliedLsn = (replica: Watched, lsn: number) =>
  until(replica, ({ context }) => context.applied?.lsn === lsn, `applied LSN ${lsn}`);

/** A replica that is fed by a script (`scriptedSource`), on a directory of its own unless one is given. */
export async function scriptedReplica(script: (attachment: number) => ScriptedSource, dataDir?: string) {
  const directory = dataDir ?? (await temporaryDirectory());
  const replica = await startReplica(
    { dataDir: directory, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
    { walSource: scriptedSource(script) },
  );
  return { replica, dataDir: directory };
}
