import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, isAlive, watchDemo, type Watched } from './watched.ts';

interface Status {
  readonly machine_state: string;
  readonly position: { readonly commit_id: number; readonly lsn: number } | null;
  readonly failure: { readonly code: string; readonly rule: string | null; readonly evidence: object } | null;
}

interface Offer {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly enabled: boolean;
  readonly reason: string | null;
}

const FOLLOWS = /^replicating\.ingesting\.(receiving|routing|proving|persisting)/;

// One demonstration for all of them: the tests are its story, in this order.
describe('what is done to the nodes of a demonstration', { timeout: 120_000 }, () => {
  let demo: Watched;
  beforeAll(async () => {
    demo = await watchDemo(['--json']);
  }, 120_000);
  afterAll(() => demo.end());

  const json = async (url: string, path: string) => JSON.parse((await ask(url, path)).text) as unknown;
  const statusOf = async (node: string) =>
    ((await json(demo.nodes[node] ?? '', '/v1/status')) as { data: Status }).data;
  const readOn = (node: string) => ask(demo.nodes[node] ?? '', '/data/v1/cities?limit=1');
  const offers = async () => (await json(demo.url, '/actions')) as readonly Offer[];
  const offer = async (id: string) => (await offers()).find((one) => one.id === id);
  const post = async (id: string) => {
    const { status, text } = await ask(demo.url, `/actions/${id}`, { method: 'POST' });
    return { status, body: JSON.parse(text) as { done?: string; error?: { message: string } } };
  };
  const done = async (id: string) => {
    const { status, body } = await post(id);
    expect({ status, body }).toEqual({ status: 200, body: { done: expect.any(String) as string } });
    return body.done ?? '';
  };
  /** The state of a node at a commit that both it and the primary have. */
  const digestsWith = async (node: string) => {
    const at = (await statusOf(node)).position?.commit_id ?? 0;
    const digest = async (name: string) =>
      ((await json(demo.nodes[name] ?? '', `/v1/mvcc?digest_at=${at}`)) as { data: { state_digest: object } })
        .data.state_digest;
    return [await digest('primary'), await digest(node)];
  };
  const follows = async (node: string) => {
    const { machine_state: state, failure } = await statusOf(node);
    expect({ state, failure }).toEqual({ state: expect.stringMatching(FOLLOWS) as string, failure: null });
    expect((await readOn(node)).status).toBe(200);
    const [expected, found] = await digestsWith(node);
    expect(found).toEqual(expected);
  };
  const hasHalted = async (node: string, code: string, rule: string | null) => {
    const { machine_state: state, failure } = await statusOf(node);
    expect({ state, failure }).toMatchObject({ state: 'halted.resting', failure: { code, rule } });
    const read = await readOn(node);
    expect([read.status, read.text]).toEqual([503, expect.stringContaining('READS_BLOCKED')]);
  };

  test('every action says what it does, what the failure matrix says of it, and why it cannot be done now', async () => {
    const all = await offers();
    expect(all.map(({ id, enabled }) => [id, enabled])).toEqual([
      ['flip-byte-replica-a', true],
      ['cut-replica-a', true],
      ['attach-replica-a', false],
      ['kill-replica-b', true],
      ['start-replica-b', false],
      ['fill-quota-replica-b', true],
      ['fork', true],
      ['clear-halt-replica-a', false],
      ['clear-halt-replica-b', false],
      // The proofs have left it halted.
      ['clear-halt-replica-c', true],
      ['bootstrap-replica-a', false],
      ['bootstrap-replica-b', false],
      ['bootstrap-replica-c', true],
    ]);
    for (const { enabled, reason } of all) expect(reason === null).toBe(enabled);
    const described = all.map(({ description }) => description).join(' ');
    for (const row of ['F-V1', 'F-N1', 'F-A1', 'F-R1', 'F-D1', 'F-V3'])
      expect(described).toContain(`${row}, `);
    expect(demo.err()).toContain('[f]  Flip a byte in the stream to replica A');
    expect(demo.err()).toContain(
      ' a   Attach replica A again\n       Not now: replica A is not without a stream.',
    );
  });

  test('a replica that halted in the proofs is bootstrapped anew in an empty directory', async () => {
    await hasHalted('replica-c', 'WAL_CORRUPT', 'P5-I5 checksumMatches');
    expect(await done('bootstrap-replica-c')).toContain('What it held is kept as replica-c-before-1');
    await follows('replica-c');
  });

  test('a byte that is flipped in the stream halts the replica, and it says at which byte', async () => {
    const said = await done('flip-byte-replica-a');
    await hasHalted('replica-a', 'WAL_CORRUPT', 'P5-I5 checksumMatches');
    const { failure } = await statusOf('replica-a');
    const { lsn } = failure?.evidence as { lsn: number };
    expect(said).toContain('1 byte was altered');
    expect(said).toContain('WAL_CORRUPT, rule P5-I5 checksumMatches');
    expect(said).toContain(`lsn ${lsn}`);
    expect(said).toContain('A read is refused: 503 READS_BLOCKED');
  });

  test('what cannot be done now is refused, with the reason that was shown', async () => {
    const shown = await offer('flip-byte-replica-a');
    expect(shown).toMatchObject({
      enabled: false,
      reason: expect.stringContaining('has halted (WAL_CORRUPT)') as string,
    });
    expect(await post('flip-byte-replica-a')).toEqual({
      status: 409,
      body: { error: { message: shown?.reason } },
    });
    expect((await post('nothing')).status).toBe(404);
  });

  test('a halt that is cleared lets the replica follow again, with the record kept', async () => {
    expect(await done('clear-halt-replica-a')).toContain('The halt WAL_CORRUPT is kept as evidence/halt-1');
    await follows('replica-a');
  });

  test('a connection that is cut detaches the replica, which still reads, until it is attached; by the keys of the menu', async () => {
    demo.type('x');
    const cut = await demo.says('Cut the connection of replica A:\n');
    expect(cut).toContain('Cut the connection of replica A …');
    expect((await statusOf('replica-a')).machine_state).toContain('replicating.ingesting.detached');
    expect((await readOn('replica-a')).status).toBe(200);
    expect(await offer('attach-replica-a')).toMatchObject({ enabled: true });
    demo.type('attach-replica-a');
    await demo.says('Attach replica A again:\n');
    await follows('replica-a');
  });

  test('what is typed and is no action is told, and so is what cannot be done now', async () => {
    demo.type('zzz');
    await demo.says('There is nothing behind "zzz"');
    demo.type('s');
    await demo.says('Start replica B again: not now: replica B runs.');
  });

  test('a replica that is killed recovers when it is started again', async () => {
    const before = (await statusOf('replica-b')).position?.commit_id ?? 0;
    expect(await done('kill-replica-b')).toContain('The process ended by SIGKILL');
    expect((await ask(demo.url, '/nodes/replica-b/v1/status')).status).toBe(502);
    expect(await offer('fill-quota-replica-b')).toMatchObject({ enabled: false });
    expect(await done('start-replica-b')).toContain('Its recovery: replicate');
    await follows('replica-b');
    expect((await statusOf('replica-b')).position?.commit_id).toBeGreaterThanOrEqual(before);
  });

  test('a replica that meets the limit on its files halts with the error of the system, and follows without it', async () => {
    expect(await done('fill-quota-replica-b')).toContain('EFBIG');
    await hasHalted('replica-b', 'STORAGE_FAILED', null);
    expect((await statusOf('replica-b')).failure?.evidence).toMatchObject({ error: { code: 'EFBIG' } });
    await done('clear-halt-replica-b');
    await follows('replica-b');
  });

  test('a fork of the history halts every replica, and clearing the halt helps none', async () => {
    expect(await done('fork')).toContain('HISTORY_DIVERGED');
    for (const node of ['replica-a', 'replica-b', 'replica-c'])
      await hasHalted(node, 'HISTORY_DIVERGED', 'P5-I4 historyIsThePrimarys');
    await done('clear-halt-replica-c');
    await hasHalted('replica-c', 'HISTORY_DIVERGED', 'P5-I4 historyIsThePrimarys');
    expect(await offer('fork')).toMatchObject({ enabled: false });
  });

  test('one action runs at a time; a fork is left behind by bootstrapping anew, from the WAL and from a snapshot', async () => {
    demo.type('7');
    await demo.says('Bootstrap replica A anew …');
    expect(await post('bootstrap-replica-b')).toMatchObject({
      status: 409,
      body: { error: { message: expect.stringContaining('one action at a time') as string } },
    });
    await demo.says('Bootstrap replica A anew:\n');
    await done('bootstrap-replica-b');
    await follows('replica-a');
    await follows('replica-b');
    const { data } = (await json(demo.nodes['replica-b'] ?? '', '/v1/replication')) as {
      data: { snapshot_bootstrap_state: string };
    };
    expect(data.snapshot_bootstrap_state).toBe('Complete');
  });

  test('the key that ends it ends every node, and nothing is left; the proofs stand on standard output', async () => {
    const pids = await demo.pids();
    expect(pids.length).toBeGreaterThan(10);
    expect(pids.filter(isAlive)).toHaveLength(4);
    demo.type('q');
    expect(await demo.exited).toEqual({ code: 0, signal: null });
    expect(demo.err()).toMatch(/Stopped: .*primary 0/);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await demo.leftBehind()).toEqual([]);
    const shown = JSON.parse(await demo.out) as { ok: boolean; proofs: { id: string; holds: boolean }[] };
    expect(shown.ok).toBe(true);
    expect(shown.proofs.filter(({ holds }) => !holds)).toEqual([]);
    expect(shown.proofs.map(({ id }) => id)).not.toContain('exits');
  });
});
