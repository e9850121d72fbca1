import { pino } from 'pino';
import { expect, test } from 'vitest';
import { CLUSTER, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { detached, halted } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource, type ScriptedSource } from '../support/sources.ts';
import { flipped } from '../support/wal-forge.ts';

const LEVEL = { info: 30, warn: 40, error: 50 } as const;

type Line = Record<string, unknown>;

async function loggedReplica(script: () => ScriptedSource) {
  const lines: Line[] = [];
  const replica = await startReplica(
    { dataDir: await temporaryDirectory(), primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
    {
      logger: pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line) as Line) }),
      walSource: scriptedSource(script),
    },
  );
  return { replica, transitions: () => lines.filter(({ msg }) => msg === 'transition') };
}

test('P5-I14: every transition is one structured line, each beginning where the last one ended', async () => {
  const wal = await recordedWal(4);
  const { replica, transitions } = await loggedReplica(() => ({
    chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 200),
  }));
  const { context } = await halted(replica);
  await replica.stop();
  const lines = transitions();
  expect(lines.length).toBeGreaterThan(20);
  for (const [index, line] of lines.entries()) {
    expect(Object.keys(line)).toEqual(
      expect.arrayContaining([
        'node',
        'from',
        'to',
        'event',
        'guards',
        'received_lsn',
        'validated',
        'applied',
        'primary_durable',
      ]),
    );
    if (index > 0) expect(line['from']).toBe(lines[index - 1]?.['to']);
  }
  expect(lines.at(-1)).toMatchObject({
    to: 'stopped.closed',
    node: context.identity?.nodeId,
    halt: { code: 'WAL_CORRUPT' },
  });
});

test('P5-I15: a line shows what each guard said, and the halting line stands out with its cause', async () => {
  const wal = await recordedWal(4);
  const { replica, transitions } = await loggedReplica(() => ({
    chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), wal.length),
  }));
  const { context } = await halted(replica);
  const lines = transitions();
  const loud = lines.filter(({ level }) => level !== LEVEL.info);
  expect(loud).toEqual([
    {
      level: LEVEL.error,
      time: expect.any(Number) as number,
      pid: process.pid,
      hostname: expect.any(String) as string,
      msg: 'transition',
      node: context.identity?.nodeId,
      from: expect.stringContaining('replicating.validating.provingChecksum') as string,
      to: 'halted.draining',
      event: 'xstate.done.actor.validate',
      guards: { 'P5-I5 checksumMatches': 'violated' },
      received_lsn: wal.length,
      validated: { commit_id: 0, lsn: 0, history_hash: '0'.repeat(64) },
      applied: { commit_id: 0, lsn: 0, history_hash: '0'.repeat(64) },
      primary_durable: null,
      halt: expect.objectContaining({ code: 'WAL_CORRUPT', rule: 'P5-I5 checksumMatches' }) as object,
    },
  ]);
  expect(lines.find(({ to }) => String(to).includes('validating.provingChecksum'))).toMatchObject({
    level: LEVEL.info,
    guards: { 'P5-I5 unitIsFramed': 'holds' },
  });
});

test('P5-I14: a transition to detached is a warning', async () => {
  const { replica, transitions } = await loggedReplica(() => ({ ends: true, clusterId: CLUSTER }));
  await detached(replica);
  const loud = transitions().filter(({ level }) => level !== LEVEL.info);
  expect(loud).toEqual([
    expect.objectContaining({
      level: LEVEL.warn,
      to: expect.stringContaining('replicating.ingesting.detached') as string,
    }),
  ]);
});
