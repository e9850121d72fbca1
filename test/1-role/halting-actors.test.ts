/** How a node lets go: nothing is recorded, and nothing closed, before the writes under way have ended. */
import { createActor, type AnyActorLogic } from 'xstate';
import { expect, test } from 'vitest';
import { DataDirectory } from '../../src/io/data-directory.ts';
import { Fence } from '../../src/io/fence.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { roleActorsOf } from '../../src/node/role-actors.ts';

function working(disconnect: () => void) {
  const fence = new Fence();
  const said: string[] = [];
  const { actors } = roleActorsOf({
    directory: new DataDirectory(nodeFileSystem, 'nowhere'),
    files: nodeFileSystem,
    fence,
    newUuid: () => 'a-uuid',
    suspectBytes: () => null,
    disconnect,
    release: async () => {
      said.push('closed');
      await Promise.resolve();
    },
  });
  let end: () => void = () => undefined;
  const write = fence.write(() => new Promise<void>((resolve) => (end = resolve)));
  const run = (name: 'drain' | 'release') => {
    const actor = createActor(actors[name] as AnyActorLogic, { input: null });
    actor.subscribe({
      error: (error) => said.push(`${name} failed: ${String(error)}`),
      complete: () => said.push(`${name} done`),
    });
    actor.start();
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { fence, said, run, settle, end: () => (end(), write) };
}

test.each(['drain', 'release'] as const)(
  'P5-I13: %s waits for the write under way, and lets none begin',
  async (name) => {
    const node = working(() => undefined);
    node.run(name);
    await node.settle();
    expect(node.said).toEqual([]);
    await expect(node.fence.write(() => Promise.resolve())).rejects.toThrow('the node has stopped writing');
    await node.end();
    await node.settle();
    expect(node.said).toEqual(name === 'drain' ? ['drain done'] : ['closed', 'release done']);
  },
);

test.each(['drain', 'release'] as const)(
  'P5-I13: %s waits for it also where the connection cannot be let go of',
  async (name) => {
    const node = working(() => {
      throw new Error('the socket is gone');
    });
    node.run(name);
    await node.settle();
    expect(node.said).toEqual([]);
    await node.end();
    await node.settle();
    const failed = `${name} failed: Error: the socket is gone`;
    expect(node.said).toEqual(name === 'drain' ? [failed] : ['closed', failed]);
  },
);
