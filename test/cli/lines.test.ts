import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { writeLines } from '../../src/cli/lines.ts';
import { put, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { runProcess } from '../support/processes.ts';

describe('lines on standard output', () => {
  /** A reader that has room for one piece, and then only when it is told so. */
  function slowReader() {
    const taken: { readonly bytes: number; readonly next: () => void }[] = [];
    const stream = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        taken.push({ bytes: chunk.length, next: done });
        arrived();
      },
    });
    let arrived: () => void = () => undefined;
    return { stream, taken, arrival: () => new Promise<void>((resolve) => (arrived = resolve)) };
  }

  test('lines are made only as fast as they are read', async () => {
    let made = 0;
    async function* lines() {
      for (; made < 10_000; made += 1) yield 'x'.repeat(99);
    }
    const { stream, taken, arrival } = slowReader();
    let arrived = arrival();
    const written = writeLines(lines(), stream);
    for (let piece = 1; piece <= 10_000 / 328; piece += 1) {
      await arrived;
      // Whatever could run on without the reader has run when a macrotask begins.
      await new Promise(setImmediate);
      expect([taken.length, made]).toEqual([piece, piece * 328 - 1]);
      arrived = arrival();
      taken.at(-1)?.next();
    }
    await arrived;
    taken.at(-1)?.next();
    expect(await written).toBe(true);
    expect(taken.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(10_000 * 100);
  });

  test('a reader that goes away while it is waited for ends it', async () => {
    const error = (code: string) => Object.assign(new Error(code), { code });
    let made = 0;
    async function* lines() {
      for (; made < 1000; made += 1) yield 'x'.repeat(1000);
    }
    const gone = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => done(error('EPIPE')) });
    expect(await writeLines(lines(), gone)).toBe(false);
    expect(made).toBe(32);
  });

  test('what came before an error is written all the same', async () => {
    async function* broken() {
      yield 'before';
      throw new Error('the disk is gone');
    }
    let text = '';
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        text += chunk.toString();
        done();
      },
    });
    await expect(writeLines(broken(), stream)).rejects.toThrow('the disk is gone');
    expect(text).toBe('before\n');
  });

  test('a process whose pipe is closed ends quietly', async () => {
    const dataDir = await temporaryDirectory();
    const primary = await startPrimary({ dataDir });
    // More than any pipe holds.
    for (let n = 0; n < 8; n += 1)
      await primary.commit([put(`k${n}`, JSON.stringify('v'.repeat(1_000_000)))]);
    await primary.stop();
    const { child, started, exited, stderr } = runProcess([
      'wal',
      'dump',
      '--data',
      dataDir,
      '--documents',
      '--json',
    ]);
    expect(await started).toMatchObject({ record: 'segment', lsn: 0 });
    child.stdout?.destroy();
    expect(await exited).toEqual({ code: 0, signal: null });
    expect(stderr()).toBe('');
  });
});
