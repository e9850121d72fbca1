/** What a row of the failure matrix needs: its proof, and replicas that are fed piece by piece. */
import { createHash } from 'node:crypto';
import type { HostPorts } from '../../src/index.ts';
import type { ReplicaNode } from '../../src/replica/replica.ts';
import type { WalChunk } from '../../src/io/wal-source.ts';
import type { Explanation } from '../../src/core/explain/explanation.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import { FIRST_SEGMENT, readExplanation, type GateSaid } from '../support/expected-explanations.ts';
import { decodeWalFiles } from '../support/independent-decoder.ts';
import { CLUSTER, temporaryDirectory } from '../support/nodes.ts';
import { appliedCommit, inState, until } from '../support/replicas.ts';
import { servedReplica } from '../support/served-nodes.ts';
import { chunked } from '../support/sources.ts';

/** Causes a failure for real, and holds all that is said of it against what has to be said. */
export type Proof = () => Promise<void>;

export const RESTING =
  'replicating.ingesting.receiving | replicating.validating.idle | replicating.applying.idle | replicating.readGate.open';
export const DETACHED = RESTING.replace('receiving', 'detached');

/** The whole WAL, from wherever the replica asks. */
export const following = (wal: Buffer) => () => ({
  chunks: (from: { readonly lsn: number }) => chunked(wal, Math.max(wal.length, 1), from.lsn),
});

export interface FedReplica {
  readonly node: ReplicaNode;
  readonly dataDir: string;
  /** Lets the rest of the stream come. */
  readonly feed: () => void;
}

/** A replica that has applied `commits` of what came first and rests; then comes the rest. */
export async function fedReplica(
  first: Buffer,
  commits: number,
  rest: readonly WalChunk[],
  ports: HostPorts = {},
): Promise<FedReplica> {
  const dataDir = await temporaryDirectory();
  let feed: () => void = () => undefined;
  const fed = new Promise<void>((resolve) => (feed = resolve));
  const chunks = async function* () {
    yield* chunked(first, first.length);
    await fed;
    yield* rest;
  };
  const node = await servedReplica(() => ({ chunks }), { dataDir }, ports);
  await appliedCommit(node, commits);
  await atRest(node);
  return { node, dataDir, feed };
}

export const atRest = (node: ReplicaNode) =>
  until(node, inState('replicating.readGate.open'), 'an open gate');

/** What leads on from a replica that follows and has nothing to do. */
export const REPLICATING_EVENTS = [
  'xstate.done.actor.receive',
  'xstate.error.actor.receive',
  'node.stop',
  'storage.failed',
];

/** The read of `k1`, which the first commit of the WAL put and no later one: its operation stands in the first frame. */
export function readOfK1(gate: GateSaid, wal: Buffer): Explanation {
  const { commits } = decodeWalFiles([{ name: FIRST_SEGMENT, bytes: wal }], CLUSTER);
  const { document, record } = commits[0]?.operations[0] ?? {
    document: Buffer.alloc(0),
    record: Buffer.alloc(0),
  };
  const version = {
    commit_id: 1,
    op: 'put',
    log: 'wal',
    // Behind the header of the segment, of the frame, and of the commit.
    lsn: 96 + 72 + 16,
    document_bytes: document.length,
    crc32c: record.readUInt32LE(8).toString(16).padStart(8, '0'),
  } as const;
  return readExplanation({
    gate,
    id: 'k1',
    versions: [version],
    documentSha256: createHash('sha256').update(document).digest('hex'),
    rules: '+++',
    conclusion: ['visible', null],
  });
}

/** Resolves when a node has halted and recorded it. */
export function restsHalted({ transitions }: ServedNode): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      // A follower is told of a step before the node shows the state that it leads to.
      const [newest] = transitions.read(transitions.newest() - 1, 1).transitions;
      if (newest?.to !== 'halted.resting') return;
      stop();
      setImmediate(resolve);
    };
    const stop = transitions.changed(look);
    look();
  });
}
