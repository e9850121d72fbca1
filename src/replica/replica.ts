import { createActor, waitFor } from 'xstate';
import { nodeMachine } from '../../machines/node.ts';
import type { NodeConfig } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';
import { haltToJson } from '../core/halt.ts';
import { DataDirectory } from '../io/data-directory.ts';
import { Fence, fenced } from '../io/fence.ts';
import type { NodePorts } from '../node/ports.ts';
import { roleActorsOf } from '../node/role-actors.ts';
import type { NodeSnapshot, ServedNode } from '../node/served-node.ts';
import { refusedStart, stopNode } from '../node/start.ts';
import { stateLine, transitionLog } from '../node/transition-log.ts';

/** A replica that runs: the chart and its effects joined. */
export interface ReplicaNode extends ServedNode {
  stop(): Promise<void>;
}

/**
 * Starts a replica on its data directory.
 *
 * @throws ReplichartError when the start is refused; the directory is then as it was.
 */
export async function openReplica(config: NodeConfig, ports: NodePorts): Promise<ReplicaNode> {
  const fence = new Fence();
  const directory = new DataDirectory(fenced(ports.files, fence), config.dataDir);
  const actor = createActor(
    nodeMachine.provide({
      actors: roleActorsOf({
        directory,
        files: ports.files,
        fence,
        newUuid: ports.newUuid,
        release: () => Promise.resolve(),
      }),
    }),
    {
      input: {
        role: 'replica',
        replication: config.replication,
        clusterId: config.clusterId ?? null,
        nodeId: config.nodeId ?? null,
      },
      inspect: transitionLog(ports.logger),
    },
  );
  // A chart that fails leaves its effects running: the fence keeps them off the disk.
  actor.subscribe({ error: (error) => fence.close(error) });
  actor.start();
  const started = await waitFor(actor, (s) => s.matches('disabled') || s.matches('halted'));
  const stop = async () => {
    await stopNode(actor);
  };
  if (started.matches({ halted: 'refusing' })) {
    await stop();
    throw refusedStart(started.context);
  }
  const snapshot = (): NodeSnapshot => actor.getSnapshot();
  return {
    snapshot,
    applied: () => null,
    commit: async () => {
      throw new ReplichartError('WRITE_REFUSED', 'this node is a replica; only the primary makes commits');
    },
    read: async () => {
      const { value, context } = snapshot();
      throw new ReplichartError('READS_BLOCKED', 'this replica has applied nothing', {
        evidence: { state: stateLine(value), halt: context.halt && haltToJson(context.halt) },
      });
    },
    stop,
  };
}
