import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { levelVersionIndex } from '../../src/io/level/level-version-index.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { put, rejection, startPrimary, temporaryDirectory } from '../support/nodes.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

test('P5-I1: a directory that is open here is refused here, and stays locked for every other process', async () => {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir });
  await primary.commit([put('a', '1')]);
  expect(await rejection(startPrimary({ dataDir }))).toMatchObject({ code: 'DATA_DIRECTORY_IN_USE' });
  const asked = promisify(execFile)(process.execPath, [MAIN, 'halt', 'clear', '--data', dataDir]);
  expect(await rejection(asked)).toMatchObject({
    stderr: expect.stringContaining('another process has the data directory open') as unknown,
  });
  await primary.stop();
  await (await startPrimary({ dataDir })).stop();
});

test('a store that was not opened can be opened later', async () => {
  const directory = join(await temporaryDirectory(), 'index');
  const broken = { ...nodeFileSystem, list: () => Promise.reject(new Error('EIO')) };
  expect(await rejection(levelVersionIndex(broken, directory).open())).toMatchObject({ message: 'EIO' });
  await (await levelVersionIndex(nodeFileSystem, directory).open()).close();
});
