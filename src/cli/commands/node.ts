import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { createPrimary } from '../../api/create-primary.ts';
import { createReplica } from '../../api/create-replica.ts';
import type { NodeOptions } from '../../api/node-host.ts';
import type { JsonObject } from '../../core/bytes.ts';
import { configFromEnvironment, resolveConfig, type ConfigSource } from '../../core/config.ts';
import { ERRORS, EXIT, ReplichartError, type ExitCode } from '../../core/errors.ts';
import type { Role } from '../../core/identity.ts';
import type { NodeSnapshot } from '../../node/node-snapshot.ts';
import { outputOf, type Output } from '../output.ts';
import { parseSchedule, reattach, type ReattachSchedule } from '../reattach.ts';

interface NodeFlags {
  readonly data?: string;
  readonly listen?: string;
  readonly primary?: string;
  readonly replication?: string;
  readonly clusterId?: string;
  readonly nodeId?: string;
  readonly tokenFile?: string;
  readonly bootstrap?: string;
  readonly reattach?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly segmentBytesMax?: string;
  readonly logLevel?: string;
  readonly logFile?: string;
  readonly config?: string;
  readonly json?: boolean;
}

type SetExit = (code: ExitCode) => void;

/** `replichart primary` and `replichart replica`: run a node until a signal stops it. */
export function nodeCommands(setExit: SetExit): readonly Command[] {
  const primary = nodeCommand('primary', 'run a primary: the one node that makes history').action(
    (flags: NodeFlags) => run('primary', flags, setExit),
  );
  const replica = nodeCommand('replica', 'run a replica of a primary')
    .option('--primary <url>', 'URL of the primary')
    .option('--bootstrap <wal|snapshot>', 'how an empty replica begins (default: wal)')
    .option(
      '--reattach <schedule>',
      'attach again after a loss: waits such as 1s,5s,30s, the last one repeated (default: never)',
    )
    .action((flags: NodeFlags) => run('replica', flags, setExit));
  return [primary, replica];
}

function nodeCommand(name: Role, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--data <dir>', 'data directory of the node')
    .option('--listen <host:port>', 'serve HTTP here; port 0 takes a free one')
    .option('--replication <enabled|disabled>', 'take part in replication (default of this command: enabled)')
    .option('--cluster-id <uuid>', 'the cluster this node must belong to')
    .option('--node-id <uuid>', 'the id this node must have')
    .option('--token-file <file>', 'a file with the bearer token that callers must send')
    .option('--tls-cert <file>', 'certificate; serves HTTPS')
    .option('--tls-key <file>', 'key of the certificate')
    .option('--segment-bytes-max <bytes>', 'size at which a WAL segment is sealed')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
    .option('--log-file <file>', 'append the log to a file instead of standard error')
    .option('--config <file>', 'JSON file with configuration fields; environment and flags are stronger')
    .option('--json', 'print results as JSON')
    .addHelpText(
      'after',
      `
Every field can also be set in the environment, as REPLICHART_DATA_DIR for dataDir.

Example:
  replichart ${name} --data ./${name} --listen 127.0.0.1:${name === 'primary' ? '7001' : '7002 --primary http://127.0.0.1:7001'}`,
    );
}

/** The sources of a node's configuration, weakest first. */
function configSources(role: Role, flags: NodeFlags): readonly ConfigSource[] {
  const given: Record<string, string | undefined> = {
    role,
    dataDir: flags.data,
    listen: flags.listen,
    primaryUrl: flags.primary,
    replication: flags.replication,
    bootstrap: flags.bootstrap,
    clusterId: flags.clusterId,
    nodeId: flags.nodeId,
    token: flags.tokenFile === undefined ? undefined : readText('tokenFile', flags.tokenFile).trim(),
    tlsCertFile: flags.tlsCert,
    tlsKeyFile: flags.tlsKey,
    segmentBytesMax: flags.segmentBytesMax,
    logLevel: flags.logLevel,
    logFile: flags.logFile,
  };
  return [
    // Whoever starts a node by hand has asked for replication; every other source may still say no.
    { name: 'command', values: { replication: 'enabled' } },
    ...(flags.config === undefined ? [] : [configFile(flags.config)]),
    configFromEnvironment(process.env),
    { name: 'flags', values: given as JsonObject },
  ];
}

function configFile(path: string): ConfigSource {
  try {
    const values: unknown = JSON.parse(readText('config', path));
    if (typeof values === 'object' && values !== null && !Array.isArray(values))
      return { name: `file ${path}`, values: values as JsonObject };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ReplichartError('CONFIG_INVALID', `config is ${path}: it is no JSON: ${error.message}`);
  }
  throw new ReplichartError('CONFIG_INVALID', `config is ${path}: it must hold one JSON object`);
}

function readText(field: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ReplichartError('CONFIG_INVALID', `${field} is ${path}: ${String(error)}`, { cause: error });
  }
}

async function run(role: Role, flags: NodeFlags, setExit: SetExit): Promise<void> {
  const { role: _role, ...options } = resolveConfig(configSources(role, flags));
  const schedule = flags.reattach === undefined ? null : parseSchedule(flags.reattach);
  const signal = stopSignal();
  try {
    await runUntil(signal.came, role, await start(role, options, schedule), outputOf(flags), setExit);
  } finally {
    signal.end();
  }
}

async function runUntil(
  stopAsked: Promise<void>,
  role: Role,
  node: RunningNode,
  output: Output,
  setExit: SetExit,
): Promise<void> {
  const { identity, halt } = node.snapshot().context;
  output.result(
    {
      event: 'started',
      role,
      url: node.url,
      node_id: identity?.nodeId ?? null,
      cluster_id: identity?.clusterId ?? null,
      halted: halt?.code ?? null,
    },
    `${role} ${identity?.nodeId ?? ''} of cluster ${identity?.clusterId ?? ''} ${node.url === null ? 'serves nothing' : `listens on ${node.url}`}`,
  );
  if (halt !== null) output.note(`halted: ${halt.code}: ${halt.message} What to do: ${halt.action}`);
  await stopAsked;
  const last = node.snapshot().context.halt;
  await node.stop();
  setExit(last === null ? EXIT.ok : ERRORS[last.code].exit);
}

interface RunningNode {
  readonly url: string | null;
  snapshot(): NodeSnapshot;
  stop(): Promise<void>;
}

async function start(
  role: Role,
  options: NodeOptions,
  schedule: ReattachSchedule | null,
): Promise<RunningNode> {
  if (role === 'primary') return createPrimary(options);
  const replica = await createReplica(options);
  if (schedule === null) return replica;
  const stopReattaching = reattach(replica, schedule);
  return {
    url: replica.url,
    snapshot: () => replica.snapshot(),
    stop: () => {
      stopReattaching();
      return replica.stop();
    },
  };
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * The first SIGINT or SIGTERM. Until it comes the process stays, also where nothing else would keep it: a node that
 * serves nothing, or one that has halted and let go of everything. `end` gives up waiting.
 */
function stopSignal(): { readonly came: Promise<void>; readonly end: () => void } {
  const stay = setInterval(() => undefined, LONGEST_TIMER_MS);
  const end = () => clearInterval(stay);
  const came = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => {
        end();
        resolve();
      });
  });
  return { came, end };
}
