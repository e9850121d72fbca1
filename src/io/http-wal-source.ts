import type { Agent, Dispatcher, request } from 'undici';
import * as z from 'zod';
import { ERRORS, errorText, type ErrorCode } from '../core/errors.ts';
import { isUuid, type JsonObject } from '../core/bytes.ts';
import { isTooDeep } from '../core/document-json.ts';
import type { MeetFacts, SourceFailure } from '../core/ingress.ts';
import type { Position } from '../core/position.ts';
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
  const base = options.url.endsWith('/') ? options.url : `${options.url}/`;
  let client: Promise<Client> | null = null;
  let isClosed = false;
  const get = async (path: string) => {
    client ??= loadClient(options);
    const { agent, request } = await client;
    if (isClosed) throw new Error('the connection to the primary is closed');
    return request(new URL(`replication/v1/${path}`, base), {
      dispatcher: agent,
      headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
    });
  };
  return {
    async identify() {
      return answered(async (): Promise<MeetFacts> => {
        const response = await get('identity');
        if (response.statusCode !== 200) return refusal(response, options.token);
        const found = identityJson.safeParse(await response.body.json());
        if (!found.success) return NO_PRIMARY;
        const {
          cluster_id: clusterId,
          format_version: formatVersion,
          oldest_lsn: oldestLsn,
        } = found.data.data;
        const { commit_id: commitId, lsn, history_hash: historyHash } = found.data.data.durable;
        return {
          kind: 'met',
          primary: { clusterId, formatVersion, oldestLsn, durable: { commitId, lsn, historyHash } },
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
        // How the stream ends is told by its chunks. A body that has ended and is closed before anyone reads it has nobody
        // to tell, and an error that nobody listens to would end the process.
        response.body.on('error', () => undefined);
        const header = (name: string) => String(response.headers[name] ?? '');
        const startLsn = numberOf(header(REPLICATION_HEADERS.startLsn));
        return {
          kind: 'opened',
          stream: {
            clusterId: header(REPLICATION_HEADERS.clusterId),
            startLsn,
            durable: durableIn(header),
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
        const found = snapshotsJson.safeParse(await response.body.json());
        if (!found.success) return NO_PRIMARY;
        return { kind: 'listed', snapshotIds: found.data.data.snapshots.map(({ snapshot_id: id }) => id) };
      });
    },
    snapshotManifest: (id) =>
      bytesOf(() => get(`snapshots/${id}/manifest`), MANIFEST_BYTES_MAX, options.token),
    snapshotBlock: (id, index) =>
      bytesOf(() => get(`snapshots/${id}/blocks/${index}`), SNAPSHOT_BLOCK_BYTES_MAX, options.token),
    async close() {
      isClosed = true;
      if (client !== null) await (await client).agent.destroy();
    },
  };
}

interface Client {
  readonly agent: Agent;
  readonly request: typeof request;
}

/** Loaded when it is first needed: a replica that comes up serves what it holds before it asks its primary for more. */
async function loadClient({ silenceMs = SILENCE_MS, ca }: HttpSourceOptions): Promise<Client> {
  const { Agent, request } = await import('undici');
  const agent = new Agent({
    connectTimeout: silenceMs,
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    ...(ca === undefined ? {} : { connect: { ca } }),
  });
  return { agent, request };
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

const NO_PRIMARY: SourceFailure = { kind: 'unreachable', message: 'it answered, and not as a primary does' };

const count = z.int().min(0);
const historyHash = z.string().regex(/^[0-9a-f]{64}$/);
const identityJson = z.object({
  data: z.object({
    cluster_id: z.string().refine(isUuid),
    format_version: count,
    oldest_lsn: count,
    durable: z.object({ commit_id: count, lsn: count, history_hash: historyHash }),
  }),
});
const snapshotsJson = z.object({
  data: z.object({ snapshots: z.array(z.object({ snapshot_id: z.string() })) }),
});

/** A number in a header; NaN, which equals nothing, where it is none. */
function numberOf(text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/** What the headers say of durable history; `null` where they do not say all of it. */
function durableIn(header: (name: string) => string): Position | null {
  const commitId = numberOf(header(REPLICATION_HEADERS.durableCommitId));
  const lsn = numberOf(header(REPLICATION_HEADERS.durableLsn));
  const hash = historyHash.safeParse(header(REPLICATION_HEADERS.durableHash));
  return Number.isNaN(commitId) || Number.isNaN(lsn) || !hash.success
    ? null
    : { commitId, lsn, historyHash: hash.data };
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

/** The error that a primary names; `null` where not all of it is there, or it could not be written down again. */
function errorOf(text: string): { code: ErrorCode; message: string; evidence: JsonObject } | null {
  const answer = parsed(text);
  if (!isObject(answer) || !isObject(answer['error'])) return null;
  const { code, message, evidence } = answer['error'];
  return typeof code === 'string' &&
    Object.hasOwn(ERRORS, code) &&
    typeof message === 'string' &&
    isObject(evidence) &&
    !isTooDeep(evidence)
    ? { code: code as ErrorCode, message, evidence: evidence as JsonObject }
    : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
