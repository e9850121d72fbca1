import { pino } from 'pino';
import { configOf, portsOf, type HostPorts } from '../../src/api/node-host.ts';
import type { PrimaryOptions } from '../../src/api/create-primary.ts';
import type { ReplicaOptions } from '../../src/api/create-replica.ts';
import { TIMEOUTS, type Timeouts } from '../../src/http/connections.ts';
import { replicationPlane } from '../../src/http/replication-plane.ts';
import { listen } from '../../src/http/server.ts';
import { openPrimary, type PrimaryNode } from '../../src/primary/primary.ts';
import { openReplica, type ReplicaNode } from '../../src/replica/replica.ts';
import { recordChart } from './chart-coverage.ts';
import { afterTest, temporaryDirectory } from './nodes.ts';
import { scriptedSource, type ScriptedSource } from './sources.ts';

const defaults = { logger: pino({ level: 'silent' }), inspect: recordChart };

/** A primary as its faces see it. */
export async function servedPrimary(
  options: Partial<PrimaryOptions> = {},
  ports: HostPorts = {},
): Promise<PrimaryNode> {
  const config = configOf('primary', { dataDir: await temporaryDirectory(), ...options });
  const node = await openPrimary(config, portsOf(config, { ...defaults, ...ports }));
  afterTest(() => node.stop());
  return node;
}

/** A replica as its faces see it, fed by a script. */
export async function servedReplica(
  script: (attachment: number) => ScriptedSource,
  options: Partial<ReplicaOptions> = {},
  ports: HostPorts = {},
): Promise<ReplicaNode> {
  const config = configOf('replica', {
    dataDir: await temporaryDirectory(),
    primaryUrl: 'http://127.0.0.1:1',
    replication: 'enabled',
    ...options,
  });
  const node = await openReplica(
    config,
    portsOf(config, { ...defaults, walSource: scriptedSource(script), ...ports }),
  );
  afterTest(() => node.stop());
  return node;
}

/** The URL of a server that speaks for a node of the test; without one, for a node that is starting. */
export async function servedOver(
  node: PrimaryNode | null,
  timeouts: Partial<Timeouts> = {},
): Promise<string> {
  const config = configOf('primary', { dataDir: await temporaryDirectory(), replication: 'enabled' });
  const server = await listen<PrimaryNode>(config, '127.0.0.1:0', defaults.logger, replicationPlane, {
    ...TIMEOUTS,
    ...timeouts,
  });
  if (node !== null) server.serve(node);
  afterTest(() => server.close());
  return server.url;
}
