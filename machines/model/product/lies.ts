/** Answers to something that was not asked, as only a bug of an effect would give: the validator or the applier is broken. */
import { answerOf, type ChartMove } from '../alphabet.ts';
import { nodeOutcomes } from '../outcomes.ts';
import type { Running } from '../pure-chart.ts';
import { comesTo } from './effects.ts';
import type { Effects } from './effects/effect.ts';
import { historyOf } from './history.ts';
import { withMemory, type World } from './world.ts';

export interface Lie {
  readonly name: string;
  readonly world: World;
  readonly told: ChartMove;
}

export function liesOf(effect: Running, world: World, parts: Effects): Lie[] {
  const { src, input } = effect;
  if (src === 'validate')
    return [
      ...lying(effect, 'an end before what was proven', world),
      ...skipping(effect, world, input as { readonly from: Parameters<typeof historyOf>[0] }),
    ];
  if (src === 'apply') {
    const done = comesTo(parts, effect, world);
    return done === null || 'asserts' in done ? [] : lying(effect, 'with a checkpoint elsewhere', done.world);
  }
  return src === 'installSnapshot' ? lying(effect, 'with a checkpoint elsewhere', world) : [];
}

/** The validator proves the unit after the next one, and lays that out for the applier. */
function skipping(
  effect: Running,
  world: World,
  { from }: { readonly from: Parameters<typeof historyOf>[0] },
): Lie[] {
  const start = historyOf(from);
  const { wal, origin } = world.disk;
  const beyond = start === null ? undefined : wal[start.length - origin.length + 1];
  if (beyond === undefined) return [];
  const desk = [...world.memory.desk, { from: beyond.upTo.slice(0, -1), units: [beyond] }];
  return lying(effect, 'a piece that does not follow', withMemory(world, { desk }));
}

function lying({ id, src, input }: Running, outcome: string, world: World): Lie[] {
  const answer = nodeOutcomes[src as 'validate'][outcome] as
    ((input: unknown, bound: { units: number }) => unknown) | undefined;
  const output = answer?.(input, { units: Infinity });
  if (typeof output !== 'object' || output === null) return [];
  const told = answerOf(id, outcome, output);
  return [{ name: told.name, world, told }];
}
