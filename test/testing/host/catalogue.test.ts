import {
  chartModel,
  charts,
  coveringPaths,
  explore,
  movesOf,
  pureChart,
  retraced,
  RULES,
  walk,
  type ChartState,
  type Move,
  type Start,
  type TestPath,
} from 'replichart/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { Catalogue } from './catalogue.ts';
import type { Health } from './health.ts';
import { CAUSES, isByItself, isCaused, recordHistory, walkerOf, type History } from './walking.ts';

const { machine, role, table } = charts.node;
const bound = { units: 2 };

/** The catalogue starts its replica in one way. */
const isOurStart = ({ input }: Start) =>
  input.replication === 'enabled' && input.bootstrap === 'wal' && input.nodeId === null;

/** All that can happen to a replica, and what of it can happen to the replica of the catalogue. */
const everything = chartModel(machine, { role, table, bound, rules: RULES });
const ours = { ...everything, moves: ourMoves };

function ourMoves(state: ChartState): readonly Move[] {
  const moves = everything.moves(state);
  if (state.settled === null) return moves.filter((move) => 'input' in move && isOurStart(move));
  const { snapshot } = state.settled;
  // What the replica does by itself it does at once: nobody else comes first.
  const itself = moves.filter(({ name }) => isByItself(snapshot, name));
  return itself.length > 0 ? itself : moves.filter(({ name }) => isCaused(snapshot, name));
}

const answers = movesOf(machine, table, bound);
const chart = pureChart(machine);
const paths = coveringPaths(explore(ours)).map((path) => untilRest(retraced(chart, path)));

/** A path ends with what it is there for; here it goes on until the replica does nothing more by itself. */
function untilRest(path: TestPath): TestPath {
  const steps = [...path.steps];
  let { snapshot } = steps.at(-1) ?? path;
  for (;;) {
    const move = answers(snapshot).find(({ name }) => isByItself(snapshot, name));
    if (move === undefined) return { ...path, steps };
    const settled = chart.send(snapshot, move.event);
    ({ snapshot } = settled);
    steps.push({ move, snapshot, transitions: settled.steps.flatMap(({ transitions }) => transitions) });
  }
}

/** What we cause on a path, without what the replica does by itself. */
const causedOn = ({ steps }: TestPath) => steps.map(({ move }) => move.name).filter((name) => name in CAUSES);

describe('the catalogue, walked along every path that it can cause', () => {
  let history: History;
  beforeAll(async () => {
    history = await recordHistory(bound.units);
  });

  test('each of our moves is on a path', () => {
    const caused = new Set(paths.flatMap(causedOn));
    expect(Object.keys(CAUSES).filter((name) => !caused.has(name))).toEqual([]);
    expect(paths.length).toBeGreaterThan(5);
  });

  test.each(paths.map((path) => [causedOn(path).join(' → '), path] as const))('%s', async (_moves, path) => {
    await walk(path, walkerOf(history));
  });

  test('and a catalogue that goes on saying what it said first is found out', async () => {
    class Forgetful extends Catalogue {
      #first: Health | null = null;
      override health(): Health {
        return (this.#first ??= super.health());
      }
    }
    const [path] = paths;
    const walking = walk(path as TestPath, walkerOf(history, Forgetful));
    await expect(walking).rejects.toThrow(
      /repairReplica: repaired" of .*: what the service says of itself: found "starting", not "serving"/,
    );
  });
});
