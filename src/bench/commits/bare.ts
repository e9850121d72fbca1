import { fdatasyncSync, openSync, closeSync, writeSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { setImmediate as giveWay } from 'node:timers/promises';

const APPENDS_PER_TURN = 16;

/** How appends are made: by calls that block the thread, which cost least, or as a node that serves others has to. */
export const BARE_CALLS = ['blocking', 'asynchronous'] as const;
export type BareCalls = (typeof BARE_CALLS)[number];

export interface BareRate {
  readonly calls: BareCalls;
  readonly appends: number;
  readonly milliseconds: number;
  readonly appends_per_second: number;
}

export interface BareOptions {
  /** A file that does not exist; it is removed again. */
  readonly file: string;
  /** What is appended each time. */
  readonly bytes: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

/** Appends without anything around them, one after another, each durable before the next: `write` and `fdatasync`. */
export async function bareAppends(calls: BareCalls, options: BareOptions): Promise<BareRate> {
  const began = performance.now();
  const appends = await (calls === 'blocking' ? blocking : asynchronous)(options);
  const milliseconds = performance.now() - began;
  await rm(options.file);
  return {
    calls,
    appends,
    milliseconds: Math.round(milliseconds),
    appends_per_second: Math.round((appends / milliseconds) * 1_000),
  };
}

async function blocking({ file, bytes, seconds, signal }: BareOptions): Promise<number> {
  const frame = Buffer.alloc(bytes, 'x');
  const end = performance.now() + seconds * 1_000;
  const descriptor = openSync(file, 'ax');
  try {
    let appends = 0;
    for (; performance.now() < end; appends += 1) {
      if (appends % APPENDS_PER_TURN === 0) await giveWay(undefined, { signal });
      writeSync(descriptor, frame);
      fdatasyncSync(descriptor);
    }
    return appends;
  } finally {
    closeSync(descriptor);
  }
}

async function asynchronous({ file, bytes, seconds, signal }: BareOptions): Promise<number> {
  const frame = Buffer.alloc(bytes, 'x');
  const end = performance.now() + seconds * 1_000;
  const handle = await open(file, 'ax');
  try {
    let appends = 0;
    for (; performance.now() < end; appends += 1) {
      signal.throwIfAborted();
      await handle.write(frame);
      await handle.datasync();
    }
    return appends;
  } finally {
    await handle.close();
  }
}
