/** One phase on one store, in a process of its own, so that its memory and its opening are its own. */
import { rounded } from '../../src/bench/statistics.ts';
import { apply, documentsKept, read } from './phases.ts';
import { STORES, type StoreName } from './stores.ts';

export type Phase = 'apply' | 'apply and read' | 'open' | 'open and read';

export interface ChildTask {
  readonly phase: Phase;
  readonly store: StoreName;
  readonly directory: string;
  readonly documents: number;
  readonly durable: boolean;
  readonly reads: number;
}

export type ChildResult = Awaited<ReturnType<typeof done>>['result'];

async function done({ phase, store, directory, documents, durable, reads }: ChildTask) {
  const began = performance.now();
  const index = await STORES[store].make(directory).open();
  const opened = rounded(performance.now() - began);
  const applied = phase.startsWith('apply') ? await apply(index, documents, durable) : null;
  // What only opens shows what it found, before anything else touches it.
  const kept = phase === 'open' ? await documentsKept(index) : null;
  const reading = phase.endsWith('read') ? await read(index, documents, reads) : null;
  return { index, result: { open_milliseconds: opened, applied, read: reading, documents_kept: kept } };
}

const task = JSON.parse(process.argv[2] ?? '') as ChildTask;
const { index, result } = await done(task);
await new Promise((resolve) => process.stdout.write(JSON.stringify(result), resolve));
// As a crash ends it: nothing is closed, so what the next one opens is what was there.
if (task.phase === 'apply') process.kill(process.pid, 'SIGKILL');
await index.close();
