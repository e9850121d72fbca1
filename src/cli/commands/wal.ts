import { Command } from 'commander';
import type { ExitCode } from '../../core/errors.ts';
import { walDumpCommand } from './wal-dump.ts';
import { walStatsCommand } from './wal-stats.ts';
import { walVerifyCommand } from './wal-verify.ts';

/** `replichart wal verify|dump|stats` */
export function walCommand(setExit: (code: ExitCode) => void): Command {
  return new Command('wal')
    .description('look into the WAL of a node')
    .addCommand(walVerifyCommand(setExit))
    .addCommand(walDumpCommand(setExit))
    .addCommand(walStatsCommand(setExit));
}
