/** The world around the chart: each of its rules can fail, and its moves are what they are called. */
import type { AnyStateMachine } from 'xstate';
import { describe, expect, test } from 'vitest';
import { explore } from '../../machines/model/graph.ts';
import { effects } from '../../machines/model/product/effects.ts';
import type { Answer, Effects } from '../../machines/model/product/effects/effect.ts';
import { afterAPowerCut } from '../../machines/model/product/endings.ts';
import {
  chainOf,
  endOf,
  goodUnits,
  historyOf,
  proofOf,
  type History,
} from '../../machines/model/product/history.ts';
import { networkMoves } from '../../machines/model/product/moves.ts';
import { productModel, SURROUNDINGS, type Surroundings } from '../../machines/model/product/product.ts';
import {
  withDisk,
  withMemory,
  withNetwork,
  withPrimary,
  worldOf,
  type World,
} from '../../machines/model/product/world.ts';
import { WORLD_RULES } from '../../machines/model/product/world-rules.ts';
import { nodeMachine } from '../../machines/node.ts';

type Bootstrap = 'wal' | 'snapshot';
const node = nodeMachine as AnyStateMachine;

function wrongAmong(
  change: Partial<Surroundings>,
  [units, faults, crashes]: readonly [number, number, number],
  bootstrap: Bootstrap = 'wal',
): string | null {
  const options = { bound: { units, faults, crashes }, bootstrap };
  const { wrong } = explore(productModel(node, options, [], { ...SURROUNDINGS, ...change }));
  return wrong?.what ?? null;
}

/** The effects with one that answers as it does, and leaves another world behind. */
function leaving<Name extends keyof Effects>(
  name: Name,
  leaves: (world: World, before: World) => World,
): Partial<Surroundings> {
  const effect = effects[name] as { answer: (world: World, input: never) => Answer | null };
  const answer = (world: World, input: never) => {
    const found = effect.answer(world, input);
    return found === null || !('outcome' in found) ? found : { ...found, world: leaves(found.world, world) };
  };
  return { effects: { ...effects, [name]: { ...effect, answer } } };
}

/** A validator that looks at no checksum: what is wrong on disk goes to the applier. */
const blindValidator: Partial<Surroundings> = {
  effects: {
    ...effects,
    validate: {
      answer: (world, input) => {
        const { wal } = world.disk;
        const seen = withDisk(world, { wal: wal.map(({ upTo }) => ({ upTo, wrong: null })) });
        const found = effects.validate.answer(seen, input);
        if (found === null || !('outcome' in found)) return found;
        const desk = found.world.memory.desk.map(({ from, units }) => ({
          from,
          units: units.map((unit) => wal.find(({ upTo }) => upTo === unit.upTo) ?? unit),
        }));
        return { ...found, world: withMemory(world, { desk }) };
      },
    },
  },
};

/** An effect that should wait for all that is under way, and answers at once. */
function waitingForNobody(name: 'drain' | 'release'): Partial<Surroundings> {
  const answer = (world: World, input: null) => {
    const found = effects[name].answer({ ...world, unheard: [] }, input);
    return found !== null && 'outcome' in found
      ? { ...found, world: { ...found.world, unheard: world.unheard } }
      : found;
  };
  return { effects: { ...effects, [name]: { answer } } };
}

const BROKEN: readonly [string, string, () => string | null][] = [
  [
    'a validator that is blind',
    'P5-I4: What is applied is a prefix of a history that the primary had durably, each unit as it wrote it.',
    () => wrongAmong(blindValidator, [1, 1, 0]),
  ],
  [
    'an applier that writes its checkpoint without the entries',
    'P5-I11: The checkpoint stands exactly behind what the index holds.',
    () =>
      wrongAmong(
        leaving('apply', (world, { disk }) =>
          withDisk(world, { index: { ...world.disk.index, holds: disk.index.holds } }),
        ),
        [1, 0, 0],
      ),
  ],
  [
    'a repair that does not sync what an earlier process wrote',
    'P5-I11: The index is never ahead of the WAL that is durable.',
    () =>
      wrongAmong(
        leaving('repairReplica', (world, { disk }) => withDisk(world, { synced: disk.synced })),
        [1, 0, 1],
      ),
  ],
  [
    'a disk that writes a batch twice',
    'P5-I4: Every unit stands in its place, in its own bytes once.',
    () =>
      wrongAmong(
        leaving('persist', (world, { memory }) =>
          withDisk(world, { wal: [...world.disk.wal, ...memory.batch] }),
        ),
        [1, 0, 0],
      ),
  ],
  [
    'a primary that sends what it has not synced',
    'P5-I6: Nothing is received that the primary did not hold durably.',
    () =>
      wrongAmong(
        {
          networkMoves: (world) => {
            const { wal, pending } = world.primary;
            const { primary } = world;
            return networkMoves(withPrimary(world, { wal: `${wal}${pending ?? ''}` })).map((move) => ({
              ...move,
              world: { ...move.world, primary },
            }));
          },
        },
        [1, 0, 0],
      ),
  ],
  [
    'an applier that says it has written, and has not',
    'P5-I12: While the gate is open, a read sees exactly what is applied, and no halt waits.',
    () =>
      wrongAmong(
        leaving('apply', (world, { disk }) => ({ ...world, disk })),
        [1, 0, 0],
      ),
  ],
  [
    'a halt record that is not written',
    'P5-I10: A halt is recorded as it is, and no node works on over a record.',
    () =>
      wrongAmong(
        leaving('writeHaltRecord', (world) => withDisk(world, { halt: null })),
        [1, 1, 0],
      ),
  ],
  [
    'a halt record without its evidence',
    'P5-I10: A halt is recorded as it is, and no node works on over a record.',
    () =>
      wrongAmong(
        leaving('writeHaltRecord', (world) => {
          const { halt } = world.disk;
          return withDisk(world, { halt: halt && { ...halt, evidence: {} } });
        }),
        [1, 1, 0],
      ),
  ],
  [
    'an installation that leaves its file where it was',
    'P5-I8: No checkpoint stands on a snapshot that is not there as a whole.',
    () =>
      wrongAmong(
        leaving('installSnapshot', (world, { disk }) =>
          withDisk(world, { base: disk.base, incoming: disk.incoming }),
        ),
        [1, 0, 0],
        'snapshot',
      ),
  ],
  [
    'a halt that waits for nobody',
    'P5-I13: Before a halt is recorded, and before a node has stopped, all that was under way has ended.',
    () => wrongAmong(waitingForNobody('drain'), [2, 1, 0]),
  ],
];

describe('a world that is broken', () => {
  test.each(BROKEN)('%s breaks %s', (_name, rule, found) => {
    expect(found()).toBe(rule);
  });

  test('P5-I2: every rule of the world has something that breaks it', () => {
    const broken = new Set(BROKEN.map(([, rule]) => rule));
    expect(WORLD_RULES.map(({ invariant, says }) => `${invariant}: ${says}`)).toEqual([...broken]);
  });

  test('P5-I13: also where a node is stopped, nothing is left under way', () => {
    expect(wrongAmong(waitingForNobody('release'), [1, 0, 1])).toContain('P5-I13');
  });
});

const world = worldOf({ units: 3, faults: 1, crashes: 1 });

describe('the disk of the world', () => {
  test('P5-I11: a power cut takes any part of what was not synced, and nothing else', () => {
    const wal = goodUnits('ccc');
    const cut = afterAPowerCut('cut', withDisk(world, { wal, synced: 1 }));
    expect(
      cut.map(({ world: { disk } }) => [disk.wal.length, disk.isTorn, disk.wal.at(-1)?.wrong ?? null]),
    ).toEqual([
      [1, false, null],
      [1, true, null],
      [2, false, null],
      [2, true, null],
      [3, false, null],
      [3, false, 'checksum does not match'],
    ]);
    expect(cut.every(({ world: { disk } }) => disk.synced === disk.wal.length)).toBe(true);
    const nothing = afterAPowerCut('cut', withDisk(world, { wal, synced: 3 }));
    expect(nothing.map(({ world: { disk } }) => disk.wal)).toEqual([wal]);
  });

  test('P5-I11: a write of two units ends after each of its bytes, synced only as a whole', () => {
    const two = withMemory(world, { batch: goodUnits('cc') });
    const halves = effects.persist.halves?.(two, { fromLsn: 0 }) ?? [];
    expect(halves.map(({ disk }) => [disk.wal.length, disk.isTorn, disk.synced])).toEqual([
      [0, true, 0],
      [1, false, 0],
      [1, true, 0],
      [2, false, 0],
    ]);
  });
});

describe('the network of the world', () => {
  const open = withPrimary(withNetwork(world, { sent: 'c' }), { wal: 'ccc', written: ['ccc'] });
  const arrivedBy = (name: string) =>
    networkMoves(open).find((move) => move.name === name)?.world.network.arrived;

  test('P5-I4: doubles and reorders, which are two things', () => {
    expect(arrivedBy('a unit arrives twice')).toEqual([{ kind: 'gap', expected: 1, found: 0 }]);
    expect(arrivedBy('a unit arrives before the one before it')).toEqual([
      { kind: 'gap', expected: 1, found: 2 },
    ]);
    expect(arrivedBy('a unit arrives')).toEqual([{ kind: 'unit', unit: { upTo: 'cc', wrong: null } }]);
  });

  test('P5-I6: carries nothing that the primary has not synced', () => {
    const behind = withPrimary(withNetwork(open, { sent: 'ccc' }), { pending: 'c' });
    expect(networkMoves(behind).map(({ name }) => name)).toEqual([
      'a notice arrives',
      'the connection is cut',
      'a unit arrives twice',
    ]);
  });
});

describe('history, written out', () => {
  test.each<History>(['', 'c', 'cs', 'csc', 'cd', 'cds', 'ccc'])(
    '"%s" is found by its position',
    (history) => {
      expect(historyOf(endOf(history))).toBe(history);
      expect(historyOf(chainOf(history))).toBe(history);
    },
  );

  test('P5-I4: a unit follows one history only, in one place', () => {
    const [, second] = goodUnits('cd');
    expect(proofOf('c', [second as never])).toEqual({ to: 'cd', wrong: null });
    expect(proofOf('s', [second as never])).toEqual({ to: 's', wrong: 'of another history' });
    expect(proofOf('', [second as never])).toEqual({ to: '', wrong: 'at another place' });
    expect(historyOf({ ...endOf('cc'), historyHash: 'ab'.repeat(32) })).toBeNull();
  });
});
