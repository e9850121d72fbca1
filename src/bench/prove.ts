import { setTimeout as wait } from 'node:timers/promises';
import { ask } from '../cli/client.ts';
import { directoryOf } from '../cli/directory.ts';
import type { DemoNode } from '../demo/processes.ts';
import { getMvcc } from '../http/contract/dx.ts';
import { verifyWal } from '../io/wal/verify.ts';
import { positionOf } from './dx/windows.ts';
import { BenchFailure } from './failure.ts';

const POLL_MILLISECONDS = 20;

type Digest = Awaited<ReturnType<typeof digestOf>>;

/** What was found equal, so that a figure stands for work that was done right. */
export interface Proof {
  readonly position: Awaited<ReturnType<typeof positionOf>>;
  readonly state_digest: Digest;
  /** Of the replica's own WAL, byte by byte; a snapshot's replica has it from its cut on. */
  readonly wal_bytes_verified: number;
}

/** The digest of a node's state; it reads every version that the node holds. */
export async function digestOf({ url }: DemoNode, commitId: number) {
  const { data } = await ask(url, getMvcc, {}, { query: { digest_at: commitId }, long: true });
  return data.state_digest;
}

/** Resolves when the replica has all that the primary has; where both stand then. */
export async function positionsEqual(primary: DemoNode, replica: DemoNode, signal: AbortSignal) {
  const expected = await positionOf(primary);
  let found = await positionOf(replica);
  while (found.lsn < expected.lsn) {
    await wait(POLL_MILLISECONDS, undefined, { signal });
    found = await positionOf(replica);
  }
  requireEqual(`the position of ${replica.name}`, found, expected);
  return found;
}

/**
 * Proves what a replica came to: its position and the digest of its state are the primary's, which nobody writes to,
 * and its WAL is proved from its first byte.
 *
 * @throws BenchFailure when anything differs.
 */
export async function proveReplica(
  primary: DemoNode,
  expected: Digest,
  replica: DemoNode,
  signal: AbortSignal,
): Promise<Proof> {
  const position = await positionsEqual(primary, replica, signal);
  const digest = await digestOf(replica, position.commit_id);
  requireEqual(`the state of ${replica.name}`, digest, expected);
  const { directory, identity } = await directoryOf(replica.directory);
  const { verdict, provenTo, stop, bytes } = await verifyWal(directory, identity, () =>
    signal.throwIfAborted(),
  );
  if (verdict !== 'clean')
    throw new BenchFailure(`the WAL of ${replica.name} is ${verdict}: ${JSON.stringify(stop)}`);
  if (provenTo !== null) requireEqual(`the WAL of ${replica.name}`, provenTo.lsn, position.lsn);
  return { position, state_digest: digest, wal_bytes_verified: bytes };
}

function requireEqual(what: string, found: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new BenchFailure(`${what} is ${one}, and ${other} on the primary`);
}
