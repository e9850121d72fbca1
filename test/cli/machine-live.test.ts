import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { AnswerOf } from '../../src/http/contract/endpoint.ts';
import type { getMachine } from '../../src/http/contract/why.ts';
import { BARE_MARKS, liveText, PLAIN_MARKS, TERMINAL_MARKS } from '../../src/cli/chart/live.ts';
import { cli, cliJson } from '../support/cli.ts';
import { afterTest, put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';

type Machine = AnswerOf<typeof getMachine>['data'];

async function primaryOf(
  options: { readonly token?: string; readonly dx?: 'disabled'; readonly replication?: 'enabled' } = {},
) {
  const primary = await startPrimary({
    dataDir: await temporaryDirectory(),
    listen: '127.0.0.1:0',
    ...options,
  });
  return { primary, url: primary.url as string };
}

const machineOf = async (url: string) =>
  ((await (await fetch(`${url}/v1/machine`)).json()) as { readonly data: Machine }).data;

describe('replichart machine --live', () => {
  test('P5-I14: marks where a primary is, and says what it may do next', async () => {
    const { url } = await primaryOf();
    const { exit, out, err } = await cli(['machine', '--live', url]);
    expect([exit, err]).toEqual([0, '']);
    const description = (await machineOf(url)).chart?.states.find(
      ({ id }) => id === 'node.disabled',
    )?.description;
    expect(out.trimEnd().split('\n')).toEqual([
      `${url}: chart primary, Disabled, active`,
      '',
      '* node',
      '  ├─  initializing (9 states inside)',
      '  ├─  recovering (7 states inside)',
      `  ├─* disabled: ${description}`,
      '  ├─  halted (5 states inside)',
      '  └─  stopped (2 states inside)',
      '',
      'allowed now:',
      '  (root): node.stop -> stopped',
      '  (root): storage.failed -> halted',
      '',
      'not now: nothing',
    ]);
  });

  test('P5-I14: marks every region of a replica, and says of each other candidate why not, with the evidence', async () => {
    const { primary, url: primaryUrl } = await primaryOf({ replication: 'enabled' });
    await primary.commit([put('k', '1')]);
    const replica = await startReplica({
      dataDir: await temporaryDirectory(),
      primaryUrl,
      replication: 'enabled',
      listen: '127.0.0.1:0',
    });
    const url = replica.url as string;
    const current = ['ingesting.receiving', 'validating.idle', 'applying.idle', 'readGate.open'];
    await vi.waitFor(async () => {
      expect((await machineOf(url)).machine_state).toBe(
        current.map((path) => `replicating.${path}`).join(' | '),
      );
    });
    const { exit, out } = await cli(['machine', '--live', url]);
    expect(exit).toBe(0);
    const marked = [...out.matchAll(/[─ ]\* (\w+)|^\* (\w+)/gm)].map(([, inner, root]) => inner ?? root);
    expect(marked).toEqual(['node', 'replicating', ...current.flatMap((path) => path.split('.'))]);
    expect(out).toContain('receiving, doing receive: Waiting for whole units of the stream.');
    const { candidates } = await machineOf(url);
    const idle = candidates.find(({ source }) => source === 'node.replicating.validating.idle');
    expect(idle?.allowed).toBe(false);
    expect(out).toContain(
      [
        '  replicating.validating.idle: always [route somethingIsUnvalidated] -> replicating.validating.checking',
        `      violated: route somethingIsUnvalidated: ${idle?.verdict?.description}`,
        `      ${JSON.stringify(idle?.verdict?.evidence)}`,
      ].join('\n'),
    );
    const entries = out.split('\n').filter((line) => /^ {2}\S+: .* -> /.test(line));
    expect(entries).toHaveLength(candidates.length);
  });

  test('--json is what the node says', async () => {
    const { url } = await primaryOf();
    const answer = (await (await fetch(`${url}/v1/machine`)).json()) as Record<string, unknown>;
    expect(await cliJson(['machine', '--live', url])).toEqual({ exit: 0, body: answer, err: '' });
  });

  test('is shown to whoever has the token', async () => {
    const { url } = await primaryOf({ token: 'secret' });
    expect(await cliJson(['machine', '--live', url])).toMatchObject({
      exit: 1,
      body: { error: { code: 'UNAUTHORIZED' } },
    });
    const file = join(await temporaryDirectory(), 'token');
    await writeFile(file, 'secret\n');
    expect((await cli(['machine', '--live', url, '--token-file', file])).exit).toBe(0);
  });

  test('of a node without its DX plane is refused, and so is a part of a running chart', async () => {
    const { url } = await primaryOf({ dx: 'disabled' });
    const { exit, err } = await cli(['machine', '--live', url]);
    expect([exit, err]).toEqual([1, expect.stringContaining('its DX plane may be disabled') as string]);
    for (const flag of ['chart', 'format', 'stage', 'from', 'event']) {
      const value = { chart: 'node', format: 'dot', stage: '1-role' }[flag] ?? 'x';
      const refused = await cli(['machine', '--live', url, `--${flag}`, value]);
      expect([refused.exit, refused.out, refused.err]).toEqual([
        2,
        '',
        expect.stringContaining(flag) as string,
      ]);
    }
    expect(await cli(['machine', '--token-file', 'x'])).toMatchObject({ exit: 2, out: '' });
  });

  test('on a terminal has colours, unless NO_COLOR says no', async () => {
    const { url } = await primaryOf();
    const before = process.stdout.isTTY;
    Object.assign(process.stdout, { isTTY: true });
    afterTest(async () => void Object.assign(process.stdout, { isTTY: before }));
    vi.stubEnv('NO_COLOR', '');
    afterTest(async () => void vi.unstubAllEnvs());
    expect((await cli(['machine', '--live', url])).out).toContain('├─\u001b[1;32m▶ disabled: ');
    vi.stubEnv('NO_COLOR', '1');
    const { out } = await cli(['machine', '--live', url]);
    expect(out).toContain('├─▶ disabled: ');
    expect(out).not.toContain('\u001b');
  });
});

describe('the drawing of a running chart', () => {
  const state = (id: string, parent: string | null) => ({
    id,
    path: id.slice(2),
    parent,
    type: 'atomic' as const,
    description: `${id}.`,
    invariants: [],
    invokes: [],
    initial: null,
  });
  const candidate = (source: string, event: string, allowed: boolean) => ({
    transition: `${source} -- ${event} [0]`,
    source,
    event,
    targets: [],
    guard: null,
    verdict: null,
    allowed,
  });
  const machine: Machine = {
    chart_id: 'node',
    machine_state: 'a',
    replica_state: 'Ready',
    status: 'active',
    candidates: [candidate('m.a', 'go', true), candidate('m', 'go', false)],
    chart: {
      id: 'm',
      description: '',
      initial: null,
      states: [state('m', null), state('m.a', 'm'), state('m.b', 'm')],
      transitions: [],
    },
  };
  const drawn = (change: Partial<Machine>, marks = PLAIN_MARKS) =>
    liveText('u', { ...machine, ...change }, marks);
  const withStates = (states: NonNullable<Machine['chart']>['states']) =>
    drawn({ chart: { ...(machine.chart as NonNullable<Machine['chart']>), states } });

  test('says which candidate comes before one that is not guarded', () => {
    expect(drawn({}).split('\n').slice(-6)).toEqual([
      'allowed now:',
      '  a: go -> (stays)',
      '',
      'not now:',
      '  (root): go -> (stays)',
      '      before it comes a: go -> (stays)',
    ]);
  });

  test('of a chart that has ended says so', () => {
    const text = drawn({ status: 'stopped', candidates: [candidate('m.a', 'go', false)] });
    expect(text).toContain('allowed now: nothing');
    expect(text).toContain('      the chart takes nothing any more: it is stopped');
  });

  test('has its marks bold on a terminal, and shows no control characters of a stranger', () => {
    expect(drawn({}, TERMINAL_MARKS)).toContain('├─\u001b[1;32m▶ a: m.a.\u001b[0m');
    expect(drawn({}, BARE_MARKS)).toContain('├─▶ a: m.a.');
    const text = withStates([state('m', null), state('m.a', 'm'), state('m.\u001b[2J', 'm')]);
    expect(text).not.toContain('\u001b');
    expect(text).toContain('\\u001b[2J');
  });

  test.each([
    ['leaves out its chart', () => drawn({ chart: null })],
    ['is in a state that it does not have', () => drawn({ machine_state: 'c' })],
    ['has a state twice', () => withStates([state('m', null), state('m.a', 'm'), state('m.a', 'm.a')])],
    ['has a state in none', () => withStates([state('m', null), state('m.a', 'x')])],
  ])('of an answer that %s is refused', (_what, draw) => {
    expect(draw).toThrow('u does not answer as a node does');
  });
});
