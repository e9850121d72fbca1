import { rm } from 'node:fs/promises';
import type { DemoNode } from '../../demo/processes.ts';
import { proveReplica, type Proof } from '../prove.ts';
import type { Surroundings } from '../workload.ts';
import { measureCatchUp, type CatchUp } from './measure.ts';

type Followed = Omit<Parameters<typeof measureCatchUp>[1], 'name' | 'primary' | 'then'>;

/** One empty replica a round, each proved after its time has ended; its files are removed. */
export async function catchUpRounds(
  surroundings: Surroundings,
  primary: DemoNode,
  expected: Parameters<typeof proveReplica>[1],
  followed: Followed,
): Promise<{ readonly rounds: readonly CatchUp[]; readonly proofs: readonly Proof[] }> {
  const { processes, rounds, signal, say } = surroundings;
  const taken: CatchUp[] = [];
  const proofs: Proof[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    say(`round ${round} of ${rounds}`);
    const name = `replica-${round}`;
    taken.push(
      await measureCatchUp(surroundings, {
        ...followed,
        name,
        primary,
        then: async (replica) => {
          say(`round ${round} of ${rounds}: proving what the replica came to`);
          proofs.push(await proveReplica(primary, expected, replica, signal));
        },
      }),
    );
    await rm(processes.directoryOf(name), { recursive: true });
  }
  return { rounds: taken, proofs };
}
