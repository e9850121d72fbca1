/** Reads at any moment: answered as history says, or refused by a rule of the gate. */
import { ReplichartError } from '../../src/core/errors.ts';
import type { ViewRequest } from '../../src/node/node-snapshot.ts';
import type { Cluster, Follower } from './cluster.ts';
import { COLLECTION, demand } from './history.ts';
import { KEYS, type Place, type View } from './plan.ts';

/** What a read may be refused with. */
const REFUSALS: readonly string[] = ['READS_BLOCKED', 'VIEW_ABOVE_APPLIED', 'HISTORY_DIVERGED'];

export function requestOf({ positions, history }: Cluster, view: View): ViewRequest {
  switch (view.of) {
    case 'newest':
      return {};
    case 'share':
      return { at: Math.round(view.share * (history.commits.length + 1)) };
    case 'position': {
      const position = positions[Math.floor(view.share * positions.length)];
      return position === undefined ? {} : { position };
    }
  }
}

/** `isOwed`: the read must not be refused. */
export async function read(
  cluster: Cluster,
  place: Place,
  request: ViewRequest,
  isOwed: boolean,
): Promise<void> {
  const host = cluster.host(place);
  const follower: Follower | undefined = cluster.followers[place];
  const { node } = host;
  if (node === null) return;
  const { name } = host.options;
  try {
    await node.gate.read(async (view) => {
      const history = follower?.history ?? cluster.history;
      const bound = view.commitId;
      cluster.count('reads admitted');
      demand(
        bound <= history.durable,
        'a view shows nothing that is not durable on the primary',
        () => `${name} shows commit ${bound}, ${history.durable} are durable`,
      );
      demand(
        request.at === undefined || request.at === bound,
        'a view is the one that was asked for',
        () => `${String(request.at)} was asked for, ${bound} is shown`,
      );
      const { position } = request;
      const hash = position && history.hashes.get(position.lsn);
      demand(
        position === undefined || hash === undefined || hash === position.historyHash,
        'a position of another history is not shown',
        () => `${name} admits ${JSON.stringify(position)}`,
      );
      const expected = KEYS.map((key) => history.shows(bound, key));
      for (const [index, key] of KEYS.entries()) {
        const found = await view.get(COLLECTION, key);
        const shown = found === null ? 'nothing' : `${found.commitId} ${found.document.toString()}`;
        demand(
          shown === expected[index],
          'a read shows what history says',
          () => `${name}, ${key} at ${bound}: ${String(expected[index])} expected, ${shown} found`,
        );
      }
      history.digested(bound, (await view.stateDigest()).sha256);
    }, request);
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    const { code } = error;
    cluster.count('reads refused');
    const isRotten = host.causes.has('rot') && code === 'INDEX_DAMAGED';
    const isOfOne = code !== 'HISTORY_DIVERGED' || cluster.histories.length > 1;
    demand(
      isRotten || (REFUSALS.includes(code) && isOfOne),
      'a read is refused by a rule of the gate',
      () => `${name}: ${code}: ${error.message}`,
    );
    demand(!isOwed, 'a replica that has caught up serves', () => `${name}: ${code}: ${error.message}`);
  }
}
