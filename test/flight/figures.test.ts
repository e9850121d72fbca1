/** What a node says of its recorder: whether it records, and how many steps of the run the journal does not have. */
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { configOf, portsOf, type HostPorts } from '../../src/api/node-host.ts';
import { FLIGHT_BYTES_MIN } from '../../src/core/limits.ts';
import type { FileSystem } from '../../src/io/file-system.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { isOfChart } from '../../src/node/transitions.ts';
import { openReplica } from '../../src/replica/replica.ts';
import { faultyFileSystem, systemError, type FileOperation } from '../support/faulty-file-system.ts';
import { fedUnitByUnit, replayed } from '../support/flights.ts';
import { afterTest, NODE, temporaryDirectory } from '../support/nodes.ts';
import { appliedLsn } from '../support/replicas.ts';
import { recordedWal } from '../support/sources.ts';

/** The figures of a replica at rest and of the same one stopped, and the steps that its chart made. */
async function figuresOf(
  commits: number,
  files: FileSystem,
  {
    flightRecorder = 'enabled',
    onStep,
  }: {
    readonly flightRecorder?: 'enabled' | 'disabled';
    readonly onStep?: NonNullable<HostPorts['inspect']>;
  } = {},
) {
  const wal = await recordedWal(commits);
  const dataDir = await temporaryDirectory();
  const config = configOf('replica', {
    dataDir,
    primaryUrl: 'http://127.0.0.1:1',
    replication: 'enabled',
    nodeId: NODE,
    flightRecorder,
    flightRecorderBytes: FLIGHT_BYTES_MIN,
  });
  const { walSource, inspect } = fedUnitByUnit(wal);
  // The first rest of a chart is its start, which is no step.
  let steps = -1;
  const count: HostPorts['inspect'] = (inspection) => {
    onStep?.(inspection);
    inspect?.(inspection);
    if (inspection.type === '@xstate.snapshot' && isOfChart(inspection.snapshot)) steps += 1;
  };
  const logger = pino({ level: 'silent' });
  const node = await openReplica(config, portsOf(config, { walSource, files, logger, inspect: count }));
  afterTest(() => node.stop());
  await appliedLsn(node, wal.length);
  const running = figuresIn(await node.metrics.text());
  await node.stop();
  return { dataDir, steps, running, figures: figuresIn(await node.metrics.text()) };
}

function figuresIn(page: string): Readonly<Record<string, number>> {
  const figures = page.split('\n').flatMap((line) => {
    const [, name, value] = /^replichart_flight_(\w+) (\d+)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, Number(value)] as const];
  });
  return Object.fromEntries(figures);
}

describe('the figures of a recorder', () => {
  test('are not there without one', async () => {
    const { running, figures } = await figuresOf(3, nodeFileSystem, { flightRecorder: 'disabled' });
    expect([running, figures]).toEqual([{}, {}]);
  });

  test('say that nothing is missing, where every step is in the journal', async () => {
    const { dataDir, steps, running, figures } = await figuresOf(3, nodeFileSystem);
    expect(running).toEqual({ recording: 1, steps_lost: 0 });
    expect(figures).toMatchObject({ steps_lost: 0 });
    expect(await replayed(dataDir)).toMatchObject({ verdict: 'same', steps, lost: 0 });
  });

  test.each<[FileOperation, number]>([
    ['makeDirectory', 1],
    ['open', 1],
    ['syncDirectory', 2],
    ['append', 1],
    ['append', 4],
    ['datasync', 1],
    ['remove', 1],
  ])('F-D1: count on behind a fault: %s fails at the %i. time', async (failing, at) => {
    let seen = 0;
    const files = faultyFileSystem((operation, path) => {
      if (operation !== failing || !path.includes('/flight')) return null;
      seen += 1;
      return seen === at ? { error: systemError('ENOSPC') } : null;
    });
    const { dataDir, steps, figures } = await figuresOf(failing === 'remove' ? 400 : 20, files);
    expect(figures).toEqual({ recording: 0, steps_lost: expect.any(Number) as number });
    const hasFile = failing !== 'makeDirectory' && failing !== 'open';
    const kept = hasFile ? (await replayed(dataDir)).steps : 0;
    expect(kept + (figures['steps_lost'] as number)).toBe(steps);
    // The system has taken what could not be made durable at the end.
    if (failing !== 'datasync') expect(figures['steps_lost']).toBeGreaterThan(0);
  });

  test('count on behind a fault inside of the recorder, the step that it failed at included', async () => {
    const { dataDir, steps, figures } = await figuresOf(20, nodeFileSystem, {
      // What an event holds of itself cannot be written as JSON.
      onStep: (inspection) => {
        if (inspection.type === '@xstate.microstep' && inspection.event.type === 'xstate.done.actor.apply')
          (inspection.event as unknown as Record<string, unknown>)['self'] = inspection.event;
      },
    });
    expect(figures).toMatchObject({ recording: 0 });
    const kept = await replayed(dataDir);
    expect(kept.steps).toBeGreaterThan(0);
    expect(figures['steps_lost']).toBeGreaterThan(20);
    expect(kept.steps + (figures['steps_lost'] as number)).toBe(steps);
  });
});
