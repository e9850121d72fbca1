import { expect, test } from 'vitest';
import { SimulatedDisk, systemError } from '../../scripts/simulate/disk.ts';
import { SYNCED } from '../../scripts/simulate/survivors.ts';
import { makeDirectoryDurably } from '../../src/io/durable-file.ts';

/** An earlier process that made the directories above, and failed before their names were durable. */
async function halfMade(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  disk.inject = ({ name }) => (name === 'syncDirectory' ? { error: systemError('ENOSPC', '/') } : undefined);
  await expect(makeDirectoryDurably(disk.files, '/data/node')).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(await disk.files.stat('/data')).not.toBeNull();
  return disk.reopened();
}

test('P5-I11: a directory above the data that an earlier start left unsynced is made durable by the next one', async () => {
  const disk = await halfMade();
  await makeDirectoryDurably(disk.files, '/data/node');
  expect(await disk.after(SYNCED).files.stat('/data/node')).toMatchObject({ kind: 'directory' });
});

test('P5-I11: a directory above that may not be opened does not keep a node from starting; a failing one does', async () => {
  for (const [code, isAllowed] of [
    ['EACCES', true],
    ['EPERM', true],
    ['EIO', false],
  ] as const) {
    const disk = await halfMade();
    disk.inject = ({ name, path }) =>
      name === 'syncDirectory' && path === '/' ? { error: systemError(code, '/') } : undefined;
    const made = makeDirectoryDurably(disk.files, '/data/node');
    await (isAllowed ? expect(made).resolves.toBeUndefined() : expect(made).rejects.toMatchObject({ code }));
  }
});

test('P5-I11: a directory that was made just now must be synced, whoever owns the one above', async () => {
  const disk = new SimulatedDisk();
  disk.inject = ({ name }) => (name === 'syncDirectory' ? { error: systemError('EACCES', '/') } : undefined);
  await expect(makeDirectoryDurably(disk.files, '/data')).rejects.toMatchObject({ code: 'EACCES' });
});
