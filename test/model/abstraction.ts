/** What is asked of the abstraction by which states are told apart. */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { NodeContext } from '../../machines/context.ts';
import { movesOf } from '../../machines/model/alphabet.ts';
import { chartModel, futureOf } from '../../machines/model/chart-model.ts';
import { tableOf } from '../../machines/model/check.ts';
import { explore } from '../../machines/model/graph.ts';
import { pureChart } from '../../machines/model/pure-chart.ts';
import { RULES } from '../../machines/model/rules.ts';

/** How many states were taken for another one, and those of them that do something else when the same happens. */
export function mergedDiffer(machine: AnyStateMachine, units: number) {
  const chart = pureChart(machine);
  const table = tableOf('replica');
  const moves = movesOf(machine, table, { units });
  const futures = (snapshot: AnyMachineSnapshot) =>
    moves(snapshot).map(({ name, event }) => `${name} ${futureOf(chart.send(snapshot, event).snapshot)}`);
  const compared = new Set<string>();
  const differing: string[] = [];
  explore(
    chartModel(machine, {
      role: 'replica',
      table,
      bound: { units },
      rules: RULES,
      merged: (one, other) => {
        const whole = JSON.stringify([one.value, one.context]);
        if (one === other || compared.has(whole)) return;
        compared.add(whole);
        if (JSON.stringify(futures(one)) !== JSON.stringify(futures(other))) differing.push(futureOf(one));
      },
    }),
  );
  return { compared: compared.size, differing };
}

/** A state without its numbers: which positions are equal, and what is under way. */
export function kindOf(snapshot: AnyMachineSnapshot | undefined): string {
  if (snapshot === undefined) return 'not started';
  const { receivedLsn, validated, applied, inFlight, proven, halt } = snapshot.context as NodeContext;
  // Behind a halt or a stop positions mean nothing any more: states are told apart by the cause.
  if (halt !== null || snapshot.matches('stopped'))
    return JSON.stringify([snapshot.value, halt?.rule, halt?.code]);
  return JSON.stringify([
    snapshot.value,
    applied === null || validated === null ? null : Math.sign(validated.lsn - applied.lsn),
    validated === null || receivedLsn === null ? null : Math.sign(receivedLsn - validated.lsn),
    inFlight === null,
    proven.length > 0,
  ]);
}
