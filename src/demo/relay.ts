import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { REPLICATION_HEADERS } from '../core/replication-protocol.ts';

const WAL_PATH = '/replication/v1/wal';
/** The bit that is turned over: a capital letter becomes its neighbour. */
export const FLIPPED_BIT = 0x01;

/** A relay in front of a primary that alters one byte of the WAL it passes on, and nothing else. */
export interface FlippingRelay {
  readonly url: string;
  /** How often the byte went by and was altered. */
  readonly flips: () => number;
  close(): Promise<void>;
}

/** Listens on a free loopback port; the byte that is altered is the one at `lsn` of the WAL stream. */
export async function flippingRelay(primaryUrl: string, lsn: number): Promise<FlippingRelay> {
  let flips = 0;
  const server = createServer((incoming, outgoing) => {
    const upstream = request(
      new URL(incoming.url ?? '/', primaryUrl),
      { method: incoming.method, headers: { ...incoming.headers, host: new URL(primaryUrl).host } },
      (answer) => relay(incoming.url ?? '/', answer, outgoing),
    );
    upstream.on('error', (error) => outgoing.destroy(error));
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  });
  const relay = (path: string, answer: IncomingMessage, outgoing: ServerResponse) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    const start = Number(answer.headers[REPLICATION_HEADERS.startLsn] ?? Number.NaN);
    const altered = path.startsWith(WAL_PATH) && answer.statusCode === 200 ? lsn - start : null;
    // Whichever side goes first takes the other along; a follower that hangs up is no error here.
    pipeline(
      answer,
      flipAt(altered, () => (flips += 1)),
      outgoing,
      () => undefined,
    );
  };
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    flips: () => flips,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Passes bytes on; the one at `offset` has one bit turned over. */
function flipAt(offset: number | null, onFlip: () => void): Transform {
  let passed = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const at = offset === null ? -1 : offset - passed;
      passed += chunk.length;
      if (at < 0 || at >= chunk.length) return done(null, chunk);
      const altered = Buffer.from(chunk);
      altered.writeUInt8(altered.readUInt8(at) ^ FLIPPED_BIT, at);
      onFlip();
      done(null, altered);
    },
  });
}
