import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostPorts } from '../../src/api/node-host.ts';
import { CHAIN_START, sealLine } from '../../src/core/flight/chain.ts';
import { flightFiles } from '../../src/io/flight-reader.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import { replayJournal, type JournalOptions, type JournalVerdict } from '../../src/replay/journal.ts';
import type { Primary, Replica } from '../../src/index.ts';
import type { InspectionEvent } from 'xstate';
import type { Position } from '../../src/core/position.ts';
import type { WalChunk } from '../../src/io/wal-source.ts';
import { isOfChart } from '../../src/node/transitions.ts';
import { recordChart } from './chart-coverage.ts';
import { CLUSTER, NODE, startPrimary, startReplica, temporaryDirectory } from './nodes.ts';
import { scriptedSource } from './sources.ts';
import { unitsOf } from './wal-forge.ts';

export const RUN = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb';

/** Of a run behind that one: no two runs of a node have the same. */
export const SECOND_RUN = 'cccccccc-cccc-4ccc-8ccc-cccccccccccc';

const ON = { nodeId: NODE, flightRecorder: 'enabled' } as const;

/** A replica that records; its ids are the same in every run. */
export function recordedReplica(
  dataDir: string,
  ports: HostPorts = {},
  options: Partial<Parameters<typeof startReplica>[0]> = {},
): Promise<Replica> {
  return startReplica(
    { dataDir, primaryUrl: 'http://127.0.0.1:1', replication: 'enabled', ...ON, ...options },
    { newUuid: () => RUN, ...ports },
  );
}

/** A primary that records. */
export function recordedPrimary(dataDir: string, ports: HostPorts = {}): Promise<Primary> {
  return startPrimary({ dataDir, clusterId: CLUSTER, ...ON }, { newUuid: () => RUN, ...ports });
}

/**
 * Ports of a replica that gets the WAL unit by unit, the next one when the one before is received: many small steps, and
 * the same ones in every run.
 */
export function fedUnitByUnit(wal: Buffer): Pick<HostPorts, 'walSource' | 'inspect'> {
  let received = 0;
  let wake = () => {};
  const inspect = (inspection: InspectionEvent): void => {
    recordChart(inspection);
    if (inspection.type !== '@xstate.snapshot' || !isOfChart(inspection.snapshot)) return;
    received = inspection.snapshot.context.receivedLsn ?? 0;
    wake();
  };
  async function* chunks(from: Position): AsyncGenerator<WalChunk> {
    for (const { lsn, bytes } of unitsOf(wal)) {
      if (lsn < from.lsn) continue;
      while (received < lsn) await new Promise<void>((resolve) => (wake = resolve));
      yield { kind: 'wal', lsn, bytes: wal.subarray(lsn, lsn + bytes) };
    }
  }
  return { walSource: scriptedSource(() => ({ chunks })), inspect };
}

export async function replayed(path: string, options: JournalOptions = {}): Promise<JournalVerdict> {
  return replayJournal(nodeFileSystem, await flightFiles(nodeFileSystem, path), options);
}

/** The names of the files that the recorder of a node has written. */
export async function flightNames(dataDir: string): Promise<readonly string[]> {
  return (await readdir(join(dataDir, 'flight'))).sort();
}

/** The newest of them, as it is. */
export async function newestFlight(dataDir: string): Promise<Buffer> {
  const name = (await flightNames(dataDir)).at(-1);
  if (name === undefined) throw new Error('nothing was recorded');
  return readFile(join(dataDir, 'flight', name));
}

export function recordsOf(journal: Buffer): readonly Record<string, unknown>[] {
  const lines = journal.toString().trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line.slice(0, -9)) as Record<string, unknown>);
}

/** Records as the lines of one file, sealed by somebody who knows how. */
export function journalOf(records: readonly object[]): Buffer {
  let end = CHAIN_START;
  const lines = records.map((record) => {
    const { n: _n, ...rest } = record as { n?: number };
    const sealed = sealLine(end, rest as never);
    end = sealed.end;
    return sealed.line;
  });
  return Buffer.concat(lines);
}

/** The verdict on such a file. */
export async function forgedVerdict(records: readonly object[]): Promise<JournalVerdict> {
  const path = join(await temporaryDirectory(), 'forged.flight');
  await writeFile(path, journalOf(records));
  return replayed(path);
}

export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/flights/${name}.flight`, import.meta.url));
}

/**
 * With UPDATE_FLIGHTS=1, keeps what was recorded as the fixture of that name. A fixture tells of a run of the program as
 * it was then: it is renewed only when the chart or the format was changed on purpose, and the new one is read before it
 * is kept.
 */
export async function keepFixture(name: string, journal: Buffer): Promise<void> {
  if (process.env['UPDATE_FLIGHTS'] === '1') await writeFile(fixturePath(name), journal);
}
