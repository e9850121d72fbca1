/**
 * Crashes before every change of a disk, with everything that may survive each, and again before every change of the recovery.
 * The disk is simulated (`scripts/simulate/disk.ts`); the nodes on it are the real ones.
 */
import { rulesFor, EVERYTHING, SYNCED, type SurvivorRule } from '../../scripts/simulate/survivors.ts';
import type { SimulatedDisk } from '../../scripts/simulate/disk.ts';

export interface Scenario<Told> {
  readonly name: string;
  /** What stands on the disk before. */
  readonly before: () => Promise<SimulatedDisk>;
  /** What the run was told before it died: acknowledgements, a halt that was seen. */
  readonly tell: () => Told;
  readonly run: (disk: SimulatedDisk, told: Told) => Promise<unknown>;
  /** Starts on the disk, recovers, looks at everything that can be seen without a primary, and stops. */
  readonly recover: (disk: SimulatedDisk, told: Told) => Promise<void>;
  /** Goes on from there until nothing is left to do, and compares the end. */
  readonly finish: (disk: SimulatedDisk, told: Told) => Promise<void>;
}

export interface Points {
  /** Changes before which the run was crashed. */
  readonly crashes: number;
  /** Disks that were recovered from. */
  readonly disks: number;
  /** Disks that a crash in the middle of a recovery left. */
  readonly recoveries: number;
}

export interface Depth {
  /** Every so many disks, the recovery is crashed as well, before each of its changes. */
  readonly recoveriesOfEvery: number;
  /** A disk that lies while the run goes on: then something must be found. */
  readonly forgets?: SimulatedDisk['forgets'];
}

/** Whatever survives, whenever the process dies: `recover` and `finish` hold, and a second recovery changes nothing. */
export async function crashEverywhere<Told>(
  scenario: Scenario<Told>,
  { recoveriesOfEvery, forgets = () => false }: Depth,
): Promise<Points> {
  const { before, tell, run } = scenario;
  const prepared = await before();
  const whole = prepared.after(EVERYTHING);
  const told = tell();
  await run(whole, told);
  await recovered(scenario, whole, told, `${scenario.name}, whole`);
  let disks = 0;
  let recoveries = 0;
  // The last one is behind all changes: the power fails when everything was said.
  for (let k = 1; k <= whole.operations.length + 1; k += 1) {
    const disk = prepared.after(EVERYTHING);
    const heard = tell();
    disk.forgets = forgets;
    await crashAt(disk, k, () => run(disk, heard));
    for (const rule of rulesFor(disk.unsynced)) {
      const where = `${scenario.name}, crashed before ${place(whole, k)}, ${rule.name}`;
      disks += 1;
      await recovered(scenario, disk.after(rule), heard, where);
      if (disks % recoveriesOfEvery === 0)
        recoveries += await crashInRecovery(scenario, disk, rule, heard, where);
    }
  }
  return { crashes: whole.operations.length, disks, recoveries };
}

async function crashInRecovery<Told>(
  scenario: Scenario<Told>,
  crashed: SimulatedDisk,
  rule: SurvivorRule,
  told: Told,
  where: string,
): Promise<number> {
  const { recover } = scenario;
  const undisturbed = crashed.after(rule);
  await recover(undisturbed, told);
  let disks = 0;
  for (let k = 1; k <= undisturbed.operations.length; k += 1) {
    const disk = crashed.after(rule);
    await crashAt(disk, k, () => recover(disk, told));
    for (const again of disk.unsynced.length === 0 ? [EVERYTHING] : [EVERYTHING, SYNCED]) {
      disks += 1;
      const what = `${where}; its recovery crashed before ${place(undisturbed, k)}, ${again.name}`;
      await recovered(scenario, disk.after(again), told, what);
    }
  }
  return disks;
}

/** A recovery, a second one that has nothing to do, and the way to the end; `where` names the disk that it begins with. */
export async function recovered<Told>(
  { recover, finish }: Pick<Scenario<Told>, 'recover' | 'finish'>,
  disk: SimulatedDisk,
  told: Told,
  where: string,
): Promise<void> {
  try {
    await recover(disk, told);
    const first = disk.contents();
    const again = disk.after(EVERYTHING);
    await recover(again, told);
    const changed = differing(first, again.contents());
    if (changed.length > 0) throw new Error(`a second recovery changed ${changed.join(', ')}`);
    await finish(again, told);
  } catch (error) {
    throw new Error(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function crashAt(disk: SimulatedDisk, k: number, run: () => Promise<unknown>): Promise<void> {
  disk.inject = ({ number }) => (number === k ? 'crash' : undefined);
  await Promise.race([run(), disk.crashed]);
  disk.kill();
}

function place({ operations }: SimulatedDisk, k: number): string {
  const operation = operations[k - 1];
  return operation === undefined ? 'the next change' : `change ${k} (${operation.name} ${operation.path})`;
}

function differing(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}
