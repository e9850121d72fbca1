import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FORMAT_VERSION } from '../../src/core/limits.ts';
import { GENESIS, type Position } from '../../src/core/position.ts';
import type { SourceFailure } from '../../src/core/ingress.ts';
import type { WalChunk, WalSource } from '../../src/io/wal-source.ts';
import { CLUSTER, put, startPrimary, temporaryDirectory } from './nodes.ts';

/** All the WAL of a node, its segments one after another. */
export async function walBytes(dataDir: string): Promise<Buffer> {
  const names = (await readdir(join(dataDir, 'wal'))).sort();
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(dataDir, 'wal', name)))));
}

/** The WAL of a primary that made commits, one frame a commit. */
export async function recordedWal(
  commits: number,
  options: { readonly clusterId?: string; readonly segmentBytesMax?: number; readonly bytes?: number } = {},
): Promise<Buffer> {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({
    dataDir,
    clusterId: options.clusterId ?? CLUSTER,
    ...(options.segmentBytesMax === undefined ? {} : { segmentBytesMax: options.segmentBytesMax }),
  });
  for (let n = 1; n <= commits; n += 1)
    await primary.commit([put(`k${n % 5}`, `v${n}`.padEnd(options.bytes ?? 0, '.'))]);
  await primary.stop();
  return walBytes(dataDir);
}

export interface ScriptedSource {
  readonly chunks?: (from: Position) => readonly WalChunk[] | AsyncIterable<WalChunk>;
  readonly clusterId?: string;
  readonly streamClusterId?: string;
  readonly startLsn?: number;
  readonly refusal?: SourceFailure;
  /** Ends the stream after the chunks; otherwise it stays open and silent. */
  readonly ends?: boolean;
}

/** A source that says what the test tells it to. `script` is asked anew at every attachment. */
export function scriptedSource(script: (attachment: number) => ScriptedSource): () => WalSource {
  let attachment = 0;
  return () => ({
    async identify() {
      return {
        kind: 'met',
        primary: {
          clusterId: script(0).clusterId ?? CLUSTER,
          formatVersion: FORMAT_VERSION,
          oldestLsn: 0,
          durable: GENESIS,
        },
      };
    },
    async openWal(from) {
      attachment += 1;
      const now = script(attachment);
      if (now.refusal !== undefined) return now.refusal;
      let wake: () => void = () => undefined;
      const closed = new Promise<void>((resolve) => (wake = resolve));
      return {
        kind: 'opened',
        stream: {
          clusterId: now.streamClusterId ?? now.clusterId ?? CLUSTER,
          startLsn: now.startLsn ?? from.lsn,
          durable: null,
          chunks: (async function* () {
            yield* now.chunks?.(from) ?? [];
            if (now.ends !== true) await closed;
          })(),
          close: () => wake(),
        },
      };
    },
    async listSnapshots() {
      return { kind: 'listed', snapshotIds: [] };
    },
    async snapshotManifest() {
      return { kind: 'unreachable', message: 'this source has no snapshot' };
    },
    async snapshotBlock() {
      return { kind: 'unreachable', message: 'this source has no snapshot' };
    },
    async close() {
      // There is nothing to close.
    },
  });
}

/** WAL bytes as chunks of a size, from an LSN on. */
export function chunked(wal: Buffer, size: number, fromLsn = 0): WalChunk[] {
  const chunks: WalChunk[] = [];
  for (let at = fromLsn; at < wal.length; at += size)
    chunks.push({ kind: 'wal', lsn: at, bytes: wal.subarray(at, Math.min(at + size, wal.length)) });
  return chunks;
}
