import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BenchFailure } from '../../src/bench/failure.ts';
import type { Measured, Surroundings, Workload } from '../../src/bench/workload.ts';
import type { ChildResult, ChildTask, Phase } from './child.ts';
import { measuredOf } from './report.ts';
import { STORES, type StoreName } from './stores.ts';
import { runsOf, type StoreRun, type Variant } from './variants.ts';

export interface IndexStoresOptions {
  readonly stores: readonly StoreName[];
  readonly reads: number;
}

/** What `stat` counts the blocks of a file in. */
const BLOCK_BYTES = 512;
const CHILD = fileURLToPath(
  new URL(`child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

const LIMITS: readonly string[] = [
  'Entries alone: the documents of a node stand in its WAL, and no store here holds any.',
  'Every phase is a process of its own; its memory is the peak of its resident memory, and that of LMDB holds the pages of its file that it has mapped, which the system can take back.',
  'Reads come from a process that has just opened the store, on files that the system has in its cache, one after the other.',
  'The time of opening classic-level has in it that Replichart reads all its files for damage first; LMDB and the memory have no such look.',
  'After the last batch the process is ended by SIGKILL: the opening behind it is that of a crash of the process. A power cut is not measured here: what was written and not synced outlives a killed process.',
  'What is not durable is what the store itself does without waiting for the disk; the next batch waits for nothing but the one before.',
];

/** The index of a replica on other stores, with the entries of W1 in the batches of a replica. */
export function indexStoresWorkload(options: IndexStoresOptions): Workload {
  return {
    name: 'index-stores',
    summary: 'the index of a replica on other stores',
    limits: LIMITS,
    defaults: { seconds: 0, rounds: 5, documents: 1_000_000 },
    run: (surroundings) => run(surroundings, options),
  };
}

async function run(surroundings: Surroundings, options: IndexStoresOptions): Promise<Measured> {
  const { processes, rounds, documents, signal, say } = surroundings;
  const root = processes.directoryOf('stores');
  await mkdir(root);
  const variants = runsOf(options.stores);
  const runs: StoreRun[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const variant of inTurn(variants, round)) {
      signal.throwIfAborted();
      say(`round ${round} of ${rounds}: ${variant.store}${variant.durable ? ', durable' : ''}`);
      runs.push({ round, ...variant, ...(await measured(variant, { root, documents, options, signal })) });
    }
  }
  return measuredOf({ documents, ...options }, runs);
}

function inTurn(variants: readonly Variant[], round: number): readonly Variant[] {
  const first = (round - 1) % variants.length;
  return [...variants.slice(first), ...variants.slice(0, first)];
}

interface Place {
  readonly root: string;
  readonly documents: number;
  readonly options: IndexStoresOptions;
  readonly signal: AbortSignal;
}

async function measured({ store, durable }: Variant, { root, documents, options, signal }: Place) {
  const directory = join(root, store);
  const { reads } = options;
  const inPhase = (phase: Phase) => inChild({ phase, store, directory, documents, durable, reads }, signal);
  try {
    if (!STORES[store].keeps) {
      const only = await inPhase('apply and read');
      return { ...figuresOf(only), disk_bytes: null, after_kill: null, open_milliseconds: null };
    }
    const applying = await inPhase('apply');
    const diskBytes = await diskBytesOf(directory);
    const afterKill = await inPhase('open');
    if (durable && afterKill.documents_kept !== documents)
      throw new BenchFailure(
        `${store} has kept ${afterKill.documents_kept} of ${documents} durable documents`,
      );
    const reading = await inPhase('open and read');
    return {
      ...figuresOf({ ...reading, applied: applying.applied }),
      disk_bytes: diskBytes,
      after_kill: {
        open_milliseconds: afterKill.open_milliseconds,
        documents_kept: afterKill.documents_kept,
      },
      open_milliseconds: reading.open_milliseconds,
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function figuresOf({ applied, read }: ChildResult) {
  if (applied === null || read === null) throw new BenchFailure('a phase has no figures');
  return { applied, read };
}

async function inChild(task: ChildTask, signal: AbortSignal): Promise<ChildResult> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [CHILD, JSON.stringify(task)], { signal });
    return JSON.parse(stdout) as ChildResult;
  } catch (error) {
    signal.throwIfAborted();
    const {
      stdout = '',
      stderr = '',
      signal: ended,
    } = error as { stdout?: string; stderr?: string; signal?: string };
    // It kills itself when it has said everything.
    if (task.phase === 'apply' && ended === 'SIGKILL' && stdout !== '')
      return JSON.parse(stdout) as ChildResult;
    throw new BenchFailure(`${task.store} cannot ${task.phase}: ${stderr || String(error)}`, {
      cause: error,
    });
  }
}

async function diskBytesOf(directory: string): Promise<number> {
  const names = await readdir(directory);
  const sizes = await Promise.all(
    names.map(async (name) => (await stat(join(directory, name))).blocks * BLOCK_BYTES),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
