/** The disk that forgets: what lasts, and what may survive a crash. */
import { describe, expect, test } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import {
  BYTES,
  EVERYTHING,
  NAMES,
  NEWEST,
  OLDER,
  rulesFor,
  SYNCED,
  type SurvivorRule,
} from '../../scripts/simulate/survivors.ts';

async function written(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  await disk.files.makeDirectory('/d');
  await disk.files.syncDirectory('/');
  const handle = await disk.files.open('/d/file', 'create');
  await handle.append([Buffer.from('durable ')]);
  await handle.datasync();
  await disk.files.syncDirectory('/d');
  await handle.append([Buffer.from('one ')]);
  await handle.append([Buffer.from('two')]);
  return disk;
}
const after = (disk: SimulatedDisk, rule: SurvivorRule, path = '/d/file') =>
  disk.after(rule).bytesOf(path)?.toString('latin1') ?? null;

describe('P5-I11: bytes last once their file was synced', () => {
  test.each([
    [EVERYTHING, 'durable one two'],
    [SYNCED, 'durable '],
    [NAMES, 'durable \0\0\0\0\0\0\0'],
    [NEWEST, 'durable \0\0\0\0two'],
    [OLDER, 'durable one '],
    [BYTES, 'durable one two'],
  ] as const)('%o', async (rule, expected) => {
    expect(after(await written(), rule)).toBe(expected);
  });

  test('the last write may end anywhere', async () => {
    const disk = await written();
    const torn = rulesFor(disk.unsynced).filter(({ name }) => name.includes('torn'));
    expect(torn.map((rule) => after(disk, rule))).toEqual([
      'durable one ',
      'durable one t',
      'durable one tw',
    ]);
  });

  test('a file that was cut may be whole again', async () => {
    const disk = await written();
    await (await disk.files.open('/d/file', 'append')).truncate(3);
    expect(after(disk, EVERYTHING)).toBe('dur');
    expect(after(disk, SYNCED)).toBe('durable ');
  });
});

describe('P5-I11: names last once their directory was synced', () => {
  test('a file whose name was not synced is gone, with all its bytes', async () => {
    const disk = await written();
    const handle = await disk.files.open('/d/other', 'create');
    await handle.append([Buffer.from('synced')]);
    await handle.datasync();
    expect(after(disk, SYNCED, '/d/other')).toBeNull();
    expect(after(disk, EVERYTHING, '/d/other')).toBe('synced');
    await disk.files.syncDirectory('/d');
    expect(after(disk, SYNCED, '/d/other')).toBe('synced');
  });

  test('what was renamed has its new name before it loses the old one, and both only until that is synced', async () => {
    const disk = await written();
    await disk.files.makeDirectory('/e');
    await disk.files.syncDirectory('/');
    await disk.files.rename('/d/file', '/e/file');
    const names = (rule: SurvivorRule) => [...disk.after(rule).contents().keys()];
    expect(names(SYNCED)).toEqual(['/d/file']);
    expect(names(NEWEST)).toEqual(['/d/file']);
    expect(names(OLDER)).toEqual(['/d/file', '/e/file']);
    await disk.files.syncDirectory('/e');
    expect(names(SYNCED)).toEqual(['/d/file', '/e/file']);
    await disk.files.syncDirectory('/d');
    expect(names(SYNCED)).toEqual(['/e/file']);
  });

  test('a directory goes with all that is in it', async () => {
    const disk = await written();
    await disk.files.rename('/d', '/moved');
    await disk.files.syncDirectory('/');
    expect([...disk.after(SYNCED).contents().keys()]).toEqual(['/moved/file']);
    await disk.files.removeTree('/moved');
    await disk.files.syncDirectory('/');
    expect([...disk.after(SYNCED).contents().keys()]).toEqual([]);
  });
});

test('P5-I11: a batch of the index is there as a whole, or it and all behind it are not', async () => {
  const disk = new SimulatedDisk();
  const store = disk.indexStore('/index');
  expect(await store.exists()).toBe(false);
  const index = await store.open();
  const entry = (key: string) => ({ key: Buffer.from(key), value: Buffer.from(key) });
  await index.write([entry('a')], { durable: true });
  await index.write([entry('b'), entry('c')], { durable: false });
  await index.write([entry('d')], { durable: false });
  const keysAfter = async (rule: SurvivorRule) => {
    const found: string[] = [];
    const again = await disk.after(rule).indexStore('/index').open();
    for await (const page of again.pages(Buffer.from('a'), Buffer.from('z')))
      found.push(...page.map(({ key }) => key.toString()));
    return found.join('');
  };
  expect([await keysAfter(EVERYTHING), await keysAfter(SYNCED)]).toEqual(['abcd', 'a']);
  expect([await keysAfter(OLDER), await keysAfter(NEWEST)]).toEqual(['abc', 'a']);
  // In its own log it is synced, and lost with what stands before it in another one.
  await index.write([entry('e')], { durable: true });
  expect(await keysAfter(SYNCED)).toBe('a');
  await index.sync();
  expect(await keysAfter(SYNCED)).toBe('abcde');
});

test('P5-I13: a process that is dead is not answered any more, and changes nothing', async () => {
  const disk = await written();
  disk.inject = () => 'crash';
  let isAnswered = false;
  void disk.files.remove('/d/file').finally(() => (isAnswered = true));
  await disk.crashed;
  void disk.files.list('/d').finally(() => (isAnswered = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect([isAnswered, after(disk, EVERYTHING)]).toEqual([false, 'durable one two']);
});

test('F-D1: an injected error is the answer, after as many bytes as it lets through', async () => {
  const disk = await written();
  disk.inject = ({ name }) => (name === 'append' ? { error: new Error('ENOSPC'), writes: 2 } : undefined);
  const handle = await disk.files.open('/d/file', 'append');
  await expect(handle.append([Buffer.from('three')])).rejects.toThrow('ENOSPC');
  expect(after(disk, EVERYTHING)).toBe('durable one twoth');
});
