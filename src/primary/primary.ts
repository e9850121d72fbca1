import { createActor, fromPromise } from 'xstate';
import type { DiskSurvey } from '../core/recovery/survey.ts';
import type { NodeConfig } from '../core/config.ts';
import { assertThat, ReplichartError } from '../core/errors.ts';
import { effectFault, haltToJson } from '../core/halt.ts';
import type { Identity } from '../core/identity.ts';
import { positionOf, type Position } from '../core/position.ts';
import type { Checkpoint } from '../core/storage/checkpoint.ts';
import type { ChainState } from '../core/wal/chain.ts';
import { primaryMachine } from '../../machines/primary.ts';
import { discardLeftovers, openBases } from '../io/base-files.ts';
import { DataDirectory } from '../io/data-directory.ts';
import { Fence, fenced } from '../io/fence.ts';
import { surveyDisk } from '../io/wal/survey.ts';
import { SnapshotStore } from '../io/snapshot-store.ts';
import type { Manifest } from '../core/storage/manifest.ts';
import { SnapshotMaker } from './snapshot.ts';
import { wrappedEffects } from '../node/effects.ts';
import { NodeStorage } from '../node/node-storage.ts';
import type { NodePorts } from '../node/ports.ts';
import { ReadGate } from '../node/read-gate.ts';
import { roleActorsOf } from '../node/role-actors.ts';
import type { NodeSnapshot } from '../node/node-snapshot.ts';
import type { ServedNode } from '../node/served-node.ts';
import { nodeInput, observe, refusedStart, startNode, stopNode } from '../node/start.ts';
import { Pruner } from '../node/pruner.ts';
import { observerOf } from '../node/observer.ts';
import { stateLine } from '../core/state-line.ts';
import { locatePosition, type ClaimedPosition } from '../io/wal/position.ts';
import { primaryChart } from './chart.ts';
import { repairPrimary } from './repair.ts';
import { countWrites } from './count-writes.ts';
import { WritePath } from './write-path.ts';

/** A primary that runs: the chart, its effects and the write path joined. */
export interface PrimaryNode extends ServedNode {
  readonly identity: Identity;
  /** The durable history that may be sent to replicas. @throws ReplichartError before recovery is through. */
  history(): { readonly durable: ChainState; readonly oldestLsn: number };
  /** Finds a claimed position in durable history. @throws ReplichartError as `locatePosition` does. */
  locate(claimed: ClaimedPosition): Promise<Position>;
  /** Durable bytes from an LSN on, not across a segment's end. */
  readWal(lsn: number, bytes: number): Promise<Buffer>;
  /** Calls the listener whenever durable history has grown; returns how to end that. */
  onDurable(listener: () => void): () => void;
  /** Makes a snapshot of all that is committed now; writes go on meanwhile. */
  createSnapshot(): Promise<Manifest>;
  /** Removes a snapshot. @throws ReplichartError `SNAPSHOT_UNKNOWN` */
  removeSnapshot(snapshotId: string): Promise<void>;
}

/**
 * Starts a primary on its data directory.
 *
 * @throws ReplichartError when the start is refused: the directory is another node's, damaged, in use, or its WAL is
 *   corrupt. The directory is then as it was.
 */
export async function openPrimary(config: NodeConfig, ports: NodePorts): Promise<PrimaryNode> {
  const fence = new Fence();
  const directory = new DataDirectory(fenced(ports.files, fence), config.dataDir);
  const nodeStorage = new NodeStorage(
    directory,
    ports.indexStore(directory.files, directory.indexDirectory),
    fence,
    ports.logger,
  );
  const snapshots = new SnapshotStore(directory);
  const snapshotMaker = new SnapshotMaker(snapshots);
  const observer = observerOf(config, ports, primaryChart.claims);
  const { transitions, metrics } = observer;
  let writePath: WritePath | null = null;

  const role = roleActorsOf({
    directory,
    files: ports.files,
    fence,
    newUuid: ports.newUuid,
    suspectBytes: () => null,
    disconnect: () => undefined,
    release: () => nodeStorage.close(),
  });
  const effects = {
    ...role.actors,
    surveyDisk: fromPromise<DiskSurvey, null>(async () => {
      const identity = identityOf();
      const { storage, wal } = await nodeStorage.open(identity);
      const { base, originLsn, leftovers } = await openBases(directory, storage, wal);
      return surveyDisk(storage, wal, identity.clusterId, { base, partials: leftovers }, originLsn);
    }),
    repairPrimary: fromPromise<Checkpoint, DiskSurvey>(async ({ input: survey }) => {
      const { storage, wal } = await nodeStorage.open(identityOf());
      await snapshots.discardPartial();
      await discardLeftovers(directory, wal, survey.partials);
      const { chain, checkpoint } = await repairPrimary(wal, storage, survey);
      writePath = new WritePath(
        {
          wal,
          storage,
          fence,
          segmentBytesMax: config.segmentBytesMax,
          onFailure: (error) =>
            actor.send({ type: 'storage.failed', fault: effectFault('writePath', error) }),
        },
        chain,
        checkpoint,
      );
      countWrites(writePath, metrics.writes);
      return checkpoint;
    }),
  };
  const actor = createActor(
    primaryMachine.provide({
      actors: wrappedEffects(effects, ports.wrapEffect),
    }),
    {
      input: nodeInput(config),
      inspect: observer.inspect,
    },
  );
  const identityOf = (): Identity => {
    const { identity } = actor.getSnapshot().context;
    assertThat(identity !== null, 'files are opened only after the identity is known');
    return identity;
  };
  // A chart that fails leaves its effects running: the fence keeps them off the disk.
  actor.subscribe({ error: (error) => fence.close(error) });
  actor.subscribe({ error: observer.failed });
  const pruner = new Pruner({
    directory,
    node: async () => {
      const { applied: at } = working('NOT_WRITABLE');
      const oldest = await snapshotMaker.oldestCut();
      return {
        clusterId: identityOf().clusterId,
        open: open(),
        limits: { appliedLsn: at.lsn, oldestSnapshotLsn: oldest.lsn },
      };
    },
    onFailure: (error) => {
      fence.close(error);
      actor.send({ type: 'storage.failed', fault: effectFault('prune', error) });
    },
  });
  // Whatever ends a start ends the waiting for it: work, a halt, or a stop on the way.
  const started = await startNode(
    actor,
    (s) => s.matches('disabled') || s.matches('halted') || s.matches('stopped'),
    role.release,
    observer.close,
  );
  const stop = async () => {
    await pruner.stop();
    await writePath?.stop();
    await stopNode(actor, role.release, observer.close);
  };
  if (started.matches({ halted: 'refusing' })) {
    await stop();
    throw refusedStart(started.context);
  }

  const open = () => {
    const { current } = nodeStorage;
    if (current === null) throw new ReplichartError('READS_BLOCKED', 'the primary is stopped');
    return current;
  };
  const snapshot = (): NodeSnapshot => actor.getSnapshot();
  const working = (refusal: 'NOT_WRITABLE' | 'READS_BLOCKED'): WritePath => {
    const { value, context } = snapshot();
    if (writePath === null || value !== 'disabled')
      throw new ReplichartError(refusal, 'the primary is not working', {
        evidence: { state: stateLine(value), halt: context.halt && haltToJson(context.halt) },
      });
    return writePath;
  };
  const applied = () => writePath && positionOf(writePath.applied);
  metrics.observe({
    snapshot,
    applied,
    segments: () => nodeStorage.current?.wal.segments ?? null,
    flight: observer.flight,
  });
  const gate = new ReadGate({
    snapshot,
    applied,
    open: () => nodeStorage.current,
    subscribe: (listener) => observe(actor, listener),
    count: observer.countRead,
  });
  return {
    get identity() {
      return identityOf();
    },
    snapshot,
    applied,
    subscribe: (listener) => observe(actor, () => listener(snapshot())),
    onApplied: (listener) => {
      const stopObserving = observe(actor, listener);
      const stopListening = writePath?.onApplied(listener);
      return () => {
        stopObserving();
        stopListening?.();
      };
    },
    primaryPosition: () => writePath && positionOf(writePath.durable),
    history: () => ({ durable: working('READS_BLOCKED').durable, oldestLsn: open().wal.startLsn }),
    locate: (claimed) => locatePosition(open().wal, working('READS_BLOCKED').durable, claimed),
    readWal: (lsn, bytes) => open().wal.read(lsn, bytes),
    snapshots,
    createSnapshot: async () => {
      // Asked first: a halted primary has closed its files, and its refusal says why.
      const path = working('NOT_WRITABLE');
      return snapshotMaker.create(identityOf().clusterId, open().storage, path);
    },
    removeSnapshot: async (snapshotId) => {
      working('NOT_WRITABLE');
      await snapshotMaker.remove(snapshotId);
    },
    prune: (request) => pruner.prune(request),
    onDurable: (listener) => working('READS_BLOCKED').onDurable(listener),
    commit: async (commit) => working('NOT_WRITABLE').commit(commit),
    gate,
    chart: primaryChart,
    files: () => nodeStorage.current,
    transitions,
    metrics,
    stop,
  };
}
