import { join } from 'node:path';
import { createPrimary, createReplica, type Replica } from 'replichart';
import { directorySource, shipWal } from './directory-source.ts';

const [directory = './shipping'] = process.argv.slice(2);
const [own, shipped] = [join(directory, 'primary'), join(directory, 'shipped')];
const put = (id: string) => ({ op: 'put', collection: 'notes', id, document: `"note ${id}"` }) as const;

await using primary = await createPrimary({ dataDir: own, logLevel: 'warn' });
await primary.commit([put('1')]);
await shipWal(primary, own, shipped);

await using replica = await createReplica(
  {
    dataDir: join(directory, 'replica'),
    primaryUrl: 'http://nobody.invalid',
    replication: 'enabled',
    logLevel: 'warn',
  },
  { walSource: () => directorySource(shipped) },
);
await applied(replica, 1);

const position = await primary.commit([put('2')]);
await shipWal(primary, own, shipped);
replica.attach();
await applied(replica, position.commitId);

const found = await replica.read((view) => view.getMany('notes', ['1', '2', '3']), { position });
console.log(JSON.stringify(found.map((one) => one?.document.toString() ?? null)));

/** The change feed gives every commit once: the one that is waited for is the end of the waiting. */
async function applied(node: Replica, commitId: number): Promise<void> {
  for await (const { position: at } of node.changes()) if (at.commitId >= commitId) return;
}
