import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';

/** What a figure was measured on: without it, it cannot be compared with another. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
  readonly system: string;
  readonly node: string;
  readonly file_system: string;
}

/** Magic numbers of statfs(2) for the file systems that a data directory commonly stands on. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext2/3/4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x01021994: 'tmpfs',
  0x794c7630: 'overlayfs',
  0x2fc12fc1: 'zfs',
  0x6969: 'nfs',
};

export async function machineOf(directory: string): Promise<Machine> {
  const { type } = await statfs(directory);
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory_bytes: totalmem(),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    file_system: FILE_SYSTEMS[type] ?? `type 0x${type.toString(16)}`,
  };
}

/** The load averages of 1, 5 and 15 minutes: before a run, they say what else the machine was doing. */
export function loadAverages(): readonly number[] {
  return loadavg().map((average) => Math.round(average * 100) / 100);
}
