import type { Command } from 'commander';
import type { ExitCode } from '../core/errors.ts';

/** Told of an exit code other than 0. */
export type SetExit = (code: ExitCode) => void;

type LoadCommand = (setExit: SetExit) => Promise<Command>;

/** Every command, in the order of the help; what it is made of is loaded when it is asked for. */
export const COMMANDS = {
  primary: async (setExit) => (await import('./commands/node.ts')).nodeCommand('primary', setExit),
  replica: async (setExit) => (await import('./commands/node.ts')).nodeCommand('replica', setExit),
  config: async (setExit) => (await import('./commands/config.ts')).configCommand(setExit),
  status: async () => (await import('./commands/status.ts')).statusCommand(),
  events: async () => (await import('./commands/events.ts')).eventsCommand(),
  explain: async (setExit) => (await import('./commands/explain.ts')).explainCommand(setExit),
  read: async () => (await import('./commands/read.ts')).readCommand(),
  diff: async (setExit) => (await import('./commands/diff.ts')).diffCommand(setExit),
  import: async () => (await import('./commands/import.ts')).importCommand(),
  snapshot: async (setExit) => (await import('./commands/snapshot.ts')).snapshotCommand(setExit),
  prune: async () => (await import('./commands/prune.ts')).pruneCommand(),
  wal: async (setExit) => (await import('./commands/wal.ts')).walCommand(setExit),
  halt: async () => (await import('./commands/halt.ts')).haltCommand(),
  replay: async (setExit) => (await import('./commands/replay.ts')).replayCommand(setExit),
  machine: async (setExit) => (await import('./commands/machine.ts')).machineCommand(setExit),
  demo: async (setExit) => (await import('./commands/demo.ts')).demoCommand(setExit),
  bench: async (setExit) => (await import('./commands/bench.ts')).benchCommand(setExit),
} satisfies Readonly<Record<string, LoadCommand>>;

export type CommandName = keyof typeof COMMANDS;
