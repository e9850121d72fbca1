/**
 * A node in a process of its own that kills itself, with SIGKILL, before the change of its disk with a given number: a file
 * operation or a write of the index store. It says on standard output what it has done, a line of JSON at once for each.
 */
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { resolveConfig } from '../../src/core/config.ts';
import type { JsonObject } from '../../src/core/bytes.ts';
import { prepareCommit, type Operation } from '../../src/core/wal/operation.ts';
import type { FileHandle, FileSystem } from '../../src/io/file-system.ts';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import type { VersionIndexStore } from '../../src/io/version-index.ts';
import type { NodePorts } from '../../src/node/ports.ts';
import { openPrimary } from '../../src/primary/primary.ts';
import { openReplica } from '../../src/replica/replica.ts';

/** What the process is to do; JSON, its only argument. */
export interface Job {
  readonly config: JsonObject;
  /** It dies before the change with this number; 0: never. */
  readonly killBefore: number;
  /** A primary makes these, those of one group at the same time, and a snapshot behind the group with this number. */
  readonly groups: readonly (readonly (readonly Operation[])[])[];
  readonly snapshotAfter: number;
  /** A replica ends when it has applied this commit. */
  readonly until: number;
}

export type Said =
  | { readonly acknowledged: number }
  | { readonly snapshot: string }
  | { readonly applied: number }
  | { readonly changes: number; readonly done: true };

let changes = 0;
let killBefore = 0;

async function change<Result>(make: () => Promise<Result>): Promise<Result> {
  changes += 1;
  if (changes === killBefore) process.kill(process.pid, 'SIGKILL');
  return make();
}

function say(said: Said): void {
  writeSync(1, `${JSON.stringify(said)}\n`);
}

const handleOf = (handle: FileHandle): FileHandle => ({
  read: (buffer, offset) => handle.read(buffer, offset),
  readSync: (buffer, offset) => handle.readSync(buffer, offset),
  append: (parts) => change(() => handle.append(parts)),
  truncate: (bytes) => change(() => handle.truncate(bytes)),
  datasync: () => change(() => handle.datasync()),
  close: () => handle.close(),
});

const files: FileSystem = {
  open: async (path, mode) =>
    mode === 'create'
      ? handleOf(await change(() => nodeFileSystem.open(path, mode)))
      : handleOf(await nodeFileSystem.open(path, mode)),
  list: (path) => nodeFileSystem.list(path),
  stat: (path) => nodeFileSystem.stat(path),
  makeDirectory: (path) => change(() => nodeFileSystem.makeDirectory(path)),
  rename: (from, to) => change(() => nodeFileSystem.rename(from, to)),
  link: (from, to) => change(() => nodeFileSystem.link(from, to)),
  remove: (path) => change(() => nodeFileSystem.remove(path)),
  removeTree: (path) => change(() => nodeFileSystem.removeTree(path)),
  syncDirectory: (path) => change(() => nodeFileSystem.syncDirectory(path)),
};

function indexStore(port: FileSystem, directory: string): VersionIndexStore {
  const store = levelVersionIndex(port, directory);
  return {
    exists: () => store.exists(),
    open: async () => {
      const index = await store.open();
      return {
        write: (entries, options) => change(() => index.write(entries, options)),
        get: (key) => index.get(key),
        first: (from, to) => index.first(from, to),
        pages: (from, to) => index.pages(from, to),
        sync: () => change(() => index.sync()),
        clear: () => change(() => index.clear()),
        close: () => index.close(),
      };
    },
  };
}

async function primary(job: Job, ports: NodePorts): Promise<void> {
  const node = await openPrimary(resolveConfig([{ name: 'job', values: job.config }]), ports);
  for (const [number, group] of job.groups.entries()) {
    await Promise.all(
      group.map(async (operations) => {
        const { commitId } = await node.commit(prepareCommit(operations));
        say({ acknowledged: commitId });
      }),
    );
    if (number + 1 === job.snapshotAfter) say({ snapshot: (await node.createSnapshot()).snapshotId });
  }
  await node.stop();
}

async function replica(job: Job, ports: NodePorts): Promise<void> {
  const node = await openReplica(resolveConfig([{ name: 'job', values: job.config }]), ports);
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      const { context } = node.snapshot();
      if (context.applied !== null) say({ applied: context.applied.commitId });
      if (context.applied?.commitId === job.until) resolve();
      if (context.halt !== null) reject(new Error(JSON.stringify(context.halt)));
    };
    node.subscribe(look);
    look();
  });
  await node.stop();
}

const job = JSON.parse(process.argv[2] as string) as Job;
killBefore = job.killBefore;
const ports: NodePorts = {
  files,
  indexStore,
  logger: pino({ level: 'silent' }),
  newUuid: () => 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa',
};
await (job.config['role'] === 'primary' ? primary : replica)(job, ports);
say({ changes, done: true });
