import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { BenchFailure } from '../failure.ts';
import { rounded } from '../statistics.ts';
import { layerOf, type Layer } from './layers.ts';
import type { Timing } from './measure.ts';

/** A window of a profile is of the same clock as `process.hrtime`, in microseconds. */
const NANOSECONDS = 1_000n;

const profileJson = z.object({
  startTime: z.number(),
  nodes: z.array(
    z.object({
      id: z.int(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
      children: z.array(z.int()).optional(),
    }),
  ),
  samples: z.array(z.int()),
  timeDeltas: z.array(z.number()),
});
export type CpuProfile = z.infer<typeof profileJson>;

export interface ProfileGroup {
  readonly group: string;
  readonly side: Layer['side'];
  readonly samples: number;
  /** Of all samples in which the thread had something to do. */
  readonly share: number;
}

export interface ProfileShares {
  /** All that were taken in the timed part, but those in which a thread was idle. */
  readonly samples: number;
  readonly statechart_share: number;
  /** The largest first. */
  readonly groups: readonly ProfileGroup[];
}

/** The profiles that a process has left in a directory, one of each of its threads. */
export async function readProfiles(directory: string): Promise<readonly CpuProfile[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.cpuprofile'));
  return Promise.all(
    names.map(async (name) => profileJson.parse(JSON.parse(await readFile(join(directory, name), 'utf8')))),
  );
}

/**
 * Sums samples of the timed part by what they are part of. From the innermost frame outwards, the first one that belongs
 * to a layer decides: an effect that the chart calls is no work of the chart, and what node does is of whoever called it.
 */
export function profileShares(profiles: readonly CpuProfile[], timing: Timing): ProfileShares {
  const counts = new Map<string, { readonly layer: Layer; samples: number }>();
  let samples = 0;
  for (const profile of profiles) {
    const layers = layersOf(profile);
    for (const node of samplesWithin(profile, timing)) {
      const layer = layers.get(node);
      if (layer === undefined) throw new BenchFailure(`a profile has no node ${node}`);
      if (layer.side === 'idle') continue;
      samples += 1;
      const count = counts.get(layer.group) ?? { layer, samples: 0 };
      counts.set(layer.group, count);
      count.samples += 1;
    }
  }
  if (samples === 0) throw new BenchFailure('the profile has no sample of the timed part');
  const groups = [...counts.values()]
    .sort((one, other) => other.samples - one.samples)
    .map(({ layer, samples: count }) => ({ ...layer, samples: count, share: rounded(count / samples) }));
  const ofChart = groups.filter(({ side }) => side === 'statechart');
  return {
    samples,
    statechart_share: ofChart.reduce((sum, group) => sum + group.samples, 0) / samples,
    groups,
  };
}

/** The layer of each node of the tree of calls; one that has none of its own is of its caller's. */
function layersOf({ nodes }: CpuProfile): ReadonlyMap<number, Layer> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const layers = new Map<number, Layer>();
  const find = (id: number): Layer => {
    const path: number[] = [];
    let layer: Layer | undefined;
    for (let at: number | undefined = id; at !== undefined && layer === undefined; at = parents.get(at)) {
      path.push(at);
      const frame = byId.get(at)?.callFrame;
      layer = layers.get(at) ?? (frame === undefined ? undefined : layerOf(frame));
    }
    const found = layer ?? UNDECIDED;
    for (const one of path) layers.set(one, found);
    return found;
  };
  for (const { id } of nodes) find(id);
  return layers;
}

const UNDECIDED: Layer = { group: 'other', side: 'other' };

function samplesWithin({ startTime, samples, timeDeltas }: CpuProfile, timing: Timing): readonly number[] {
  const [from, to] = [Number(timing.started / NANOSECONDS), Number(timing.readSafe / NANOSECONDS)];
  let at = startTime;
  return samples.filter((_, index) => {
    at += timeDeltas[index] ?? 0;
    return at >= from && at <= to;
  });
}
