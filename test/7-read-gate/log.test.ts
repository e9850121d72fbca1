import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startReplica, temporaryDirectory } from '../support/nodes.ts';
import { halted } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource } from '../support/sources.ts';
import { flipped } from '../support/wal-forge.ts';

test('P5-I14: every transition is one structured line, each beginning where the last one ended', async () => {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trim().split('\n'))
        lines.push(JSON.parse(line) as Record<string, unknown>);
      done();
    },
  });
  const wal = await recordedWal(4);
  const replica = await startReplica(
    { dataDir: await temporaryDirectory(), primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
    {
      logger: pino({ level: 'info' }, sink),
      walSource: scriptedSource(() => ({ chunks: () => chunked(flipped(wal, (wal.length - 9) * 8), 200) })),
    },
  );
  const { context } = await halted(replica);
  await replica.stop();
  const transitions = lines.filter(({ msg }) => msg === 'transition');
  expect(transitions.length).toBeGreaterThan(20);
  for (const [index, line] of transitions.entries()) {
    expect(Object.keys(line)).toEqual(expect.arrayContaining(['node', 'from', 'to', 'event', 'applied']));
    if (index > 0) expect(line['from']).toBe(transitions[index - 1]?.['to']);
  }
  expect(transitions.at(-1)).toMatchObject({
    to: 'stopped.closed',
    node: context.identity?.nodeId,
    halt: { code: 'WAL_CORRUPT' },
  });
});
