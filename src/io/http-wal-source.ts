import { Agent, request, type Dispatcher } from 'undici';
import { ERRORS, errorText, type ErrorCode } from '../core/errors.ts';
import { isUuid, type JsonObject } from '../core/bytes.ts';
import type { MeetFacts, SourceFailure } from '../core/ingress.ts';
import { REPLICATION_HEADERS } from '../core/replication-protocol.ts';
import { SNAPSHOT_BLOCK_BYTES_MAX } from '../core/storage/manifest.ts';
import { NoticeSplitter } from '../core/wal/notice.ts';
import type { OpenedWal, SnapshotList, SourceBytes, WalChunk, WalSource } from './wal-source.ts';

/** How often the primary is asked to speak on an idle stream, and how long a silence means that it is gone. */
const NOTICE_INTERVAL_MS = 1_000;
const SILENCE_MS = 10_000;
/** Enough for the blocks of a terabyte. */
const MANIFEST_BYTES_MAX = 256 * 1024 * 1024;

export interface HttpSourceOptions {
  readonly url: string;
  readonly token?: string | undefined;
  /** Certificate authority to trust, PEM. */
  readonly ca?: string | undefined;
  readonly silenceMs?: number;
}

/** The replication plane of a primary as a `WalSource`. */
export function httpWalSource(options: HttpSourceOptions): WalSource {
  const silence = options.silenceMs ?? SILENCE_MS;
  const agent = new Agent({
    connectTimeout: silence,
    headersTimeout: silence,
    bodyTimeout: silence,
    ...(options.ca === undefined ? {} : { connect: { ca: options.ca } }),
  });
  const base = options.url.endsWith('/') ? options.url : `${options.url}/`;
  const get = (path: string) =>
    request(new URL(`replication/v1/${path}`, base), {
      dispatcher: agent,
      headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
    });
  return {
    async identify() {
      return answered(async (): Promise<MeetFacts> => {
        const response = await get('identity');
        if (response.statusCode !== 200) return refusal(response, options.token);
        const { data } = (await response.body.json()) as { data: IdentityJson };
        if (!isUuid(data.cluster_id))
          return { kind: 'unreachable', message: 'it answered, and not as a primary does' };
        return {
          kind: 'met',
          primary: {
            clusterId: data.cluster_id,
            formatVersion: data.format_version,
            oldestLsn: data.oldest_lsn,
            durable: {
              commitId: data.durable.commit_id,
              lsn: data.durable.lsn,
              historyHash: data.durable.history_hash,
            },
          },
        };
      });
    },
    async openWal(from) {
      return answered(async (): Promise<OpenedWal> => {
        const query = new URLSearchParams({
          from_lsn: String(from.lsn),
          history_hash: from.historyHash,
          commit_id: String(from.commitId),
          notice_interval_ms: String(NOTICE_INTERVAL_MS),
        });
        const response = await get(`wal?${query.toString()}`);
        if (response.statusCode !== 200) return refusal(response, options.token);
        const header = (name: string) => String(response.headers[name] ?? '');
        const startLsn = Number(header(REPLICATION_HEADERS.startLsn));
        return {
          kind: 'opened',
          stream: {
            clusterId: header(REPLICATION_HEADERS.clusterId),
            startLsn,
            durable: {
              commitId: Number(header(REPLICATION_HEADERS.durableCommitId)),
              lsn: Number(header(REPLICATION_HEADERS.durableLsn)),
              historyHash: header(REPLICATION_HEADERS.durableHash),
            },
            chunks: chunksOf(response.body, startLsn),
            close: () => response.body.destroy(),
          },
        };
      });
    },
    async listSnapshots() {
      return answered(async (): Promise<SnapshotList> => {
        const response = await get('snapshots');
        if (response.statusCode !== 200) return refusal(response, options.token);
        const { data } = (await response.body.json()) as { data: { snapshots: { snapshot_id: string }[] } };
        return { kind: 'listed', snapshotIds: data.snapshots.map(({ snapshot_id: id }) => id) };
      });
    },
    snapshotManifest: (id) =>
      bytesOf(() => get(`snapshots/${id}/manifest`), MANIFEST_BYTES_MAX, options.token),
    snapshotBlock: (id, index) =>
      bytesOf(() => get(`snapshots/${id}/blocks/${index}`), SNAPSHOT_BLOCK_BYTES_MAX, options.token),
    close: () => agent.destroy(),
  };
}

/** A body of bounded size; a larger one is no answer. */
function bytesOf(
  ask: () => Promise<Dispatcher.ResponseData>,
  bytesMax: number,
  secret: string | undefined,
): Promise<SourceBytes> {
  return answered(async (): Promise<SourceBytes> => {
    const response = await ask();
    if (response.statusCode !== 200) return refusal(response, secret);
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of response.body as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > bytesMax) {
        response.body.destroy();
        return { kind: 'unreachable', message: `an answer of more than ${bytesMax} bytes is no snapshot’s` };
      }
      parts.push(part);
    }
    return { kind: 'bytes', bytes: Buffer.concat(parts) };
  });
}

interface IdentityJson {
  readonly cluster_id: string;
  readonly format_version: number;
  readonly oldest_lsn: number;
  readonly durable: { readonly commit_id: number; readonly lsn: number; readonly history_hash: string };
}

/** A connection that fails is an answer; its cause is told in the words of the system. */
async function answered<Answer>(ask: () => Promise<Answer>): Promise<Answer | SourceFailure> {
  try {
    return await ask();
  } catch (error) {
    return { kind: 'unreachable', message: errorText(error) };
  }
}

/** What a primary refuses with goes into states, records and logs: what it might repeat of our secret does not. */
async function refusal(
  response: Dispatcher.ResponseData,
  secret: string | undefined,
): Promise<SourceFailure> {
  const body = await response.body.text();
  const text =
    secret === undefined ? body : body.replaceAll(JSON.stringify(secret).slice(1, -1), '[withheld]');
  const named = errorOf(text);
  return named === null
    ? { kind: 'unreachable', message: `it answered ${response.statusCode}, and not as a primary does` }
    : { kind: 'refused', ...named };
}

function errorOf(text: string): { code: ErrorCode; message: string; evidence: JsonObject } | null {
  try {
    const { error } = JSON.parse(text) as {
      error?: { code: string; message: string; evidence: JsonObject };
    };
    if (error === undefined || !Object.hasOwn(ERRORS, error.code)) return null;
    return { code: error.code as ErrorCode, message: error.message, evidence: error.evidence };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function* chunksOf(body: AsyncIterable<Buffer>, startLsn: number): AsyncGenerator<WalChunk> {
  const splitter = new NoticeSplitter();
  let lsn = startLsn;
  for await (const chunk of body) {
    for (const piece of splitter.split(chunk)) {
      if (piece.kind === 'notice') {
        yield piece;
      } else {
        yield { kind: 'wal', lsn, bytes: piece.bytes };
        lsn += piece.bytes.length;
      }
    }
  }
}
