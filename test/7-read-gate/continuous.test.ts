import type { InspectionEvent } from 'xstate';
import { describe, expect, test } from 'vitest';
import type { NodeSnapshot } from '../../src/index.ts';
import { admissionOf } from '../../src/core/read-safety.ts';
import { stateLine } from '../../src/core/state-line.ts';
import { del, put, startPrimary, startReplica, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, appliedLsn, detached, halted } from '../support/replicas.ts';
import { chunked, recordedWal, scriptedSource } from '../support/sources.ts';
import { alteredSource } from '../support/relayed-source.ts';
import { flipped } from '../support/wal-forge.ts';

/** Looks at a node after every microstep, also those that no subscriber ever sees, and says what was broken. */
function watcher() {
  const faults: string[] = [];
  const walked: string[] = [];
  let before: NodeSnapshot | null = null;
  const inspect = (event: InspectionEvent) => {
    if (event.type !== '@xstate.microstep' || !('machine' in event.snapshot)) return;
    const now = event.snapshot as unknown as NodeSnapshot;
    const line = stateLine(now.value);
    walked.push(line);
    const { applied, validated, receivedLsn, inFlight, proven, halt } = now.context;
    const claim = (holds: boolean, text: string) => holds || faults.push(`${text} in ${line}`);
    claim((applied?.lsn ?? 0) <= (validated?.lsn ?? 0), 'P5-I5: applied is beyond proven');
    claim((validated?.lsn ?? 0) <= (receivedLsn ?? 0), 'P5-I4: proven is beyond received');
    claim((applied?.commitId ?? 0) <= (validated?.commitId ?? 0), 'P5-I6: a commit id nobody proved');
    claim(
      (applied?.commitId ?? 0) >= (before?.context.applied?.commitId ?? 0),
      'P5-I6: a commit id went back',
    );
    claim(
      proven.every(({ to }) => to.lsn <= (validated?.lsn ?? 0)),
      'P5-I5: an unproven batch waits',
    );
    claim(
      !line.includes('readGate.open') || (applied !== null && halt === null),
      'P5-I12: open without a state',
    );
    claim(
      line.startsWith('halted') === (halt !== null) || line.startsWith('stopped'),
      'P5-I10: a halt without its state',
    );
    if (before?.context.halt)
      claim(
        applied?.lsn === before.context.applied?.lsn && receivedLsn === before.context.receivedLsn,
        'P5-I10: progress after a halt',
      );
    const admission = admissionOf({
      role: 'replica',
      clusterId: null,
      state: line,
      halt,
      receivedLsn,
      validated,
      applied,
      inFlight,
      view: { commitId: applied?.commitId ?? null, token: null },
    });
    claim(
      admission.kind !== 'admitted' || (line.startsWith('replicating') && inFlight === null),
      'P5-I12: a read without proof',
    );
    before = now;
  };
  return { inspect, faults, walked };
}

describe('P5-I2: every invariant holds after every microstep', () => {
  test('following from the first byte, losing the connection, attaching again, halting on a bad byte', async () => {
    const wal = await recordedWal(30);
    const bad = flipped(wal, (wal.length - 12) * 8);
    const watched = watcher();
    const replica = await startReplica(
      { dataDir: await temporaryDirectory(), primaryUrl: 'http://127.0.0.1:1', replication: 'enabled' },
      {
        inspect: watched.inspect,
        walSource: scriptedSource((attachment) => ({
          chunks: (from) => chunked(attachment === 1 ? wal.subarray(0, 1500) : bad, 170, from.lsn),
          ends: attachment === 1,
        })),
      },
    );
    await detached(replica);
    replica.attach();
    await halted(replica);
    await replica.stop();
    expect(watched.faults).toEqual([]);
    expect(watched.walked.length).toBeGreaterThan(100);
    expect(watched.walked.some((line) => line.includes('readGate.open'))).toBe(true);
  });

  test('beginning from a snapshot while writes go on, stopping, recovering, going on', async () => {
    const primary = await startPrimary({
      dataDir: await temporaryDirectory(),
      listen: '127.0.0.1:0',
      replication: 'enabled',
    });
    for (let n = 1; n <= 20; n += 1) await primary.commit([put(`k${n % 7}`, `${n}`)]);
    await primary.createSnapshot();
    const dataDir = await temporaryDirectory();
    const options = {
      dataDir,
      primaryUrl: primary.url as string,
      replication: 'enabled',
      bootstrap: 'snapshot',
    } as const;
    const first = watcher();
    const replica = await startReplica(options, {
      inspect: first.inspect,
      walSource: alteredSource(options.primaryUrl, () => ({})),
    });
    for (let n = 1; n <= 20; n += 1) await primary.commit([put(`k${n % 7}`, 'more'), del(`k${n % 3}`)]);
    await appliedCommit(replica, 40);
    await replica.stop();
    await primary.commit([put('last', '1')]);
    const second = watcher();
    const again = await startReplica(options, { inspect: second.inspect });
    await appliedLsn(again, primary.position()?.lsn as number);
    await again.stop();
    expect([first.faults, second.faults]).toEqual([[], []]);
    expect(first.walked.some((line) => line.startsWith('bootstrapping.installing'))).toBe(true);
    expect(second.walked.some((line) => line.startsWith('recovering.repairing'))).toBe(true);
  });
});
