/** What is done to a cluster, drawn from a seed before it begins: a list, so that it can be thinned and kept. */
import { ALTERATIONS, LOSSES, type NetworkFault } from './network.ts';
import { Random } from './random.ts';

/** `-1`: the primary. */
export type Place = number;
export const PRIMARY: Place = -1;

export type Action = { readonly at: number } & (
  | { readonly do: 'commit'; readonly writes: readonly Write[] }
  | { readonly do: 'read'; readonly node: Place; readonly view: View }
  | { readonly do: 'snapshot' }
  /** At the so manieth change of the disk from then on; `0`: at once. `survivors`: which rule, `null`: the machine runs on. */
  | {
      readonly do: 'kill';
      readonly node: Place;
      readonly after: number;
      readonly survivors: number | null;
      readonly down: number;
      readonly rots: boolean;
    }
  | {
      readonly do: 'disk error';
      readonly node: Place;
      readonly after: number;
      readonly code: 'EIO' | 'ENOSPC';
      readonly times: number;
      readonly written: number;
    }
  | {
      readonly do: 'network fault';
      readonly node: Place;
      readonly after: number;
      readonly fault: NetworkFault;
      readonly byte: number;
    }
  | { readonly do: 'attach' | 'clear halt' | 'stop' | 'start'; readonly node: Place }
  | { readonly do: 'backup' | 'restore' }
  | { readonly do: 'prune'; readonly node: Place }
  | { readonly do: 'remove snapshot' }
);

export interface Write {
  readonly id: string;
  readonly deletes: boolean;
}

/** A share of the commits that are there, the newest view, or the position of one that was acknowledged. */
export type View =
  | { readonly of: 'newest' }
  | { readonly of: 'share'; readonly share: number }
  | { readonly of: 'position'; readonly share: number };

export interface Plan {
  readonly seed: number;
  readonly segmentBytesMax: number;
  readonly replicas: readonly {
    readonly bootstrap: 'wal' | 'snapshot';
    readonly knowsCluster: boolean;
    /** Which size pieces of its stream have. */
    readonly pieces: number;
  }[];
  readonly actions: readonly Action[];
}

export const KEYS = ['a', 'b', 'c'];
const SEGMENTS = [700, 1500, 64 * 1024 * 1024];
const HORIZON = 2000;

export function planFor(seed: number): Plan {
  const random = new Random(seed);
  const replicas = Array.from({ length: 1 + random.below(3) }, () => ({
    bootstrap: random.chance(0.4) ? ('snapshot' as const) : ('wal' as const),
    knowsCluster: random.chance(0.5),
    pieces: random.next(),
  }));
  const segmentBytesMax = random.pick(SEGMENTS);
  const node = () => random.below(replicas.length + 1) - 1;
  const replica = () => random.below(replicas.length);
  const at = () => random.below(HORIZON);
  const some = <One>(most: number, one: () => One) => Array.from({ length: random.below(most + 1) }, one);
  const isCalm = random.chance(0.1);
  const network = (faults: readonly NetworkFault[]) => (): Action => ({
    // Early ones: a stream that has caught up brings little.
    at: 200 + (at() >> 1),
    do: 'network fault',
    node: replica(),
    after: 1 + random.below(2),
    fault: random.pick(faults),
    byte: random.next(),
  });
  const rots = random.chance(0.05);
  const restores = random.chance(0.12);
  const actions: Action[] = [
    ...Array.from({ length: 6 + random.below(20) }, (): Action => {
      const writes = () =>
        Array.from({ length: 1 + random.below(2) }, () => ({
          id: random.pick(KEYS),
          deletes: random.chance(0.25),
        }));
      return { at: at(), do: 'commit', writes: writes() };
    }),
    ...Array.from({ length: 4 + random.below(12) }, (): Action => ({
      at: at(),
      do: 'read',
      node: node(),
      view: viewDrawn(random),
    })),
    ...some(2, (): Action => ({ at: at(), do: 'snapshot' })),
    // Whoever is detached stays so until somebody asks.
    ...some(12, (): Action => ({ at: at(), do: 'attach', node: replica() })),
    ...some(2, (): Action => ({ at: at(), do: 'clear halt', node: node() })),
    ...some(1, (): Action => ({ at: at(), do: 'stop', node: node() })),
    ...some(5, (): Action => ({ at: at(), do: 'start', node: node() })),
    ...(isCalm
      ? []
      : [
          ...some(3, (): Action => ({
            at: at(),
            do: 'kill',
            node: node(),
            after: random.below(8),
            survivors: random.chance(0.2) ? null : random.next(),
            down: random.below(300),
            rots: rots && random.chance(0.5),
          })),
          ...some(1, (): Action => ({
            at: at(),
            do: 'disk error',
            node: node(),
            after: 1 + random.below(8),
            code: random.pick(['EIO', 'ENOSPC']),
            times: 1 + random.below(3),
            written: random.next(),
          })),
          ...some(3, network(LOSSES)),
          ...(random.chance(0.5) ? some(2, network(ALTERATIONS)) : []),
        ]),
    ...(restores
      ? [
          { at: random.below(HORIZON / 2), do: 'backup' as const },
          { at: HORIZON / 2 + random.below(HORIZON / 2), do: 'restore' as const },
        ]
      : []),
  ];
  // A cluster that begins from snapshots has one sooner or later.
  if (replicas.some(({ bootstrap }) => bootstrap === 'snapshot'))
    actions.push({ at: random.below(HORIZON), do: 'snapshot' });
  // Drawn last, so that all else that a seed does is what it was before there was a prune.
  actions.push(
    ...some(4, (): Action => ({ at: at(), do: 'prune', node: node() })),
    ...some(1, (): Action => ({ at: at(), do: 'remove snapshot' })),
  );
  return { seed, segmentBytesMax, replicas, actions: actions.sort((a, b) => a.at - b.at) };
}

function viewDrawn(random: Random): View {
  if (random.chance(0.4)) return { of: 'newest' };
  return { of: random.chance(0.6) ? 'share' : 'position', share: random.next() };
}
