import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installPackage } from '../support/installed.ts';
import { afterTest, temporaryDirectory } from '../support/nodes.ts';
import { runProgram } from '../support/programs.ts';

/** Examples as a newcomer has them: beside the installed package, not within this project. */
let place: string;
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'replichart-examples-'));
  await installPackage(place);
  const built = fileURLToPath(new URL('../../dist/examples', import.meta.url));
  await cp(built, join(place, 'examples'), { recursive: true });
});
afterAll(() => rm(place, { recursive: true }));

const example = (name: string) => join(place, 'examples', `${name}.js`);

/** A service of an example in a process of its own; it says its address first. */
async function service(name: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [example(name), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const stop = () => {
    child.kill('SIGTERM');
    return exited;
  };
  afterTest(stop);
  const [line] = await new Promise<[string]>((resolve, reject) => {
    createInterface(child.stdout).once('line', (first) => resolve([first]));
    void exited.then((code) => reject(new Error(`${name} ended with ${code}`)));
  });
  return { url: (JSON.parse(line) as { url: string }).url, stop };
}

describe('the examples', { timeout: 60_000 }, () => {
  test('orders: a service with a primary, one with a replica; who wrote reads what was written, or is refused', async () => {
    const primary = await service('orders/primary', await temporaryDirectory(), '0');
    const replica = await service(
      'orders/replica',
      await temporaryDirectory(),
      '0',
      `${primary.url}/replichart`,
    );
    const made = await fetch(`${primary.url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'o-1', item: 'anvil' }),
    });
    expect(made.status).toBe(201);
    const position = made.headers.get('x-position') as string;
    const read = (sent: string) => fetch(`${replica.url}/orders/o-1`, { headers: { 'x-position': sent } });
    // A refusal says that the replica has not come so far; it is for the caller to ask again.
    let answer = await read(position);
    while (answer.status === 503 || answer.status === 409) answer = await read(position);
    expect(await answer.json()).toEqual({ id: 'o-1', item: 'anvil' });
    const foreign = JSON.stringify({ ...(JSON.parse(position) as object), historyHash: 'cd'.repeat(32) });
    expect(await (await read(foreign)).json()).toMatchObject({ refused: 'HISTORY_DIVERGED' });
    expect(await (await fetch(`${replica.url}/health`)).json()).toMatchObject({ live: true, ready: true });
    expect((await fetch(`${primary.url}/replichart/`)).headers.get('content-type')).toContain('text/html');
    expect(await replica.stop()).toBe(0);
    expect(await primary.stop()).toBe(0);
  });

  test('typed: what does not fit the schema is not committed', async () => {
    const { out, err, exit } = await runProgram(example('typed/main'), [await temporaryDirectory()]);
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(JSON.parse(out)).toEqual({
      found: [
        { id: 'a', name: 'Anvil', price: 1200 },
        { id: 'b', name: 'Bolt', price: 2 },
      ],
      refused: 2,
    });
  });

  test('shipping: a replica that follows files, attached again when there are more', async () => {
    const { out, err, exit } = await runProgram(example('shipping/main'), [await temporaryDirectory()]);
    expect({ exit, err: err.replace(/^\{"level":40.*\n/gm, '') }).toEqual({ exit: 0, err: '' });
    expect(JSON.parse(out)).toEqual(['"note 1"', '"note 2"', null]);
  });
});
