import { Command } from 'commander';
import type { NodeOptions } from '../../api/node-host.ts';
import { resolveConfig } from '../../core/config.ts';
import { ERRORS, EXIT, type ExitCode } from '../../core/errors.ts';
import type { Role } from '../../core/identity.ts';
import type { NodeSnapshot } from '../../node/node-snapshot.ts';
import { configSources } from '../config-sources.ts';
import { withNodeFlags, type NodeFlags } from '../node-flags.ts';
import { outputOf, type Output } from '../output.ts';
import { parseSchedule, reattach, type ReattachSchedule } from '../reattach.ts';

const ATTACH_HELP = `
SIGUSR2 asks a replica that has lost its stream to attach again, once; to any other it says nothing.
`;

const DESCRIPTIONS: Readonly<Record<Role, string>> = {
  primary: 'run a primary: the one node that makes history',
  replica: 'run a replica of a primary',
};

type SetExit = (code: ExitCode) => void;

/** `replichart primary` and `replichart replica`: run a node until a signal stops it. */
export function nodeCommand(role: Role, setExit: SetExit): Command {
  return withNodeFlags(new Command(role).description(DESCRIPTIONS[role]), role)
    .addHelpText(
      'after',
      `
Every field can also be set in the environment, as REPLICHART_DATA_DIR for dataDir.
${role === 'replica' ? ATTACH_HELP : ''}
Example:
  replichart ${role} --data ./${role} --listen 127.0.0.1:${role === 'primary' ? '7001' : '7002 --primary http://127.0.0.1:7001'}`,
    )
    .action((flags: NodeFlags) => run(role, flags, setExit));
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
  const stopTelling = node.subscribe(tellOnce(output));
  await stopAsked;
  stopTelling();
  const { halt: last, detachment } = node.snapshot().context;
  await node.stop();
  setExit(last !== null ? ERRORS[last.code].exit : isPruned(detachment) ? EXIT.outOfRetention : EXIT.ok);
}

const PRUNED = 'WAL_PRUNED';

/** The one detachment that no waiting and no attaching will end. */
function isPruned(detachment: string | null): boolean {
  return detachment?.startsWith(PRUNED) ?? false;
}

/** Tells whoever watches that a replica has fallen behind what its primary keeps, and what helps. */
function tellOnce(output: Output): (snapshot: NodeSnapshot) => void {
  let isTold = false;
  return ({ context: { detachment } }) => {
    if (isTold || !isPruned(detachment)) return;
    isTold = true;
    output.note(`detached: ${detachment}. What to do: ${ERRORS[PRUNED].action}`);
  };
}

interface RunningNode {
  readonly url: string | null;
  snapshot(): NodeSnapshot;
  subscribe(listener: (snapshot: NodeSnapshot) => void): () => void;
  stop(): Promise<void>;
}

async function start(
  role: Role,
  options: NodeOptions,
  schedule: ReattachSchedule | null,
): Promise<RunningNode> {
  // Only one of them is loaded.
  if (role === 'primary') return (await import('../../api/create-primary.ts')).createPrimary(options);
  const { createReplica } = await import('../../api/create-replica.ts');
  const replica = await createReplica(options);
  const stopReattaching = schedule === null ? null : reattach(replica, schedule);
  const attach = () => replica.attach();
  process.on(ATTACH_SIGNAL, attach);
  return {
    url: replica.url,
    snapshot: () => replica.snapshot(),
    subscribe: (listener) => replica.subscribe(listener),
    stop: () => {
      stopReattaching?.();
      process.off(ATTACH_SIGNAL, attach);
      return replica.stop();
    },
  };
}

/** An operator's explicit step after a loss, for a process that nobody holds a handle of. */
const ATTACH_SIGNAL = 'SIGUSR2';

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
