import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Measured, Surroundings, Workload } from '../../src/bench/workload.ts';
import type { Contestant, Work } from './contestant.ts';
import { installPeers } from './install.ts';
import { measureLag } from './measure.ts';
import { Postgresql } from './postgresql/postgresql.ts';
import { RedisPrimary } from './redis/primary.ts';
import { Redis } from './redis/redis.ts';
import { Replichart } from './replichart/replichart.ts';
import { measuredOf } from './report.ts';
import { Servers } from './servers.ts';
import type { GoalId, Rate, Turn } from './turns.ts';

export const SYSTEMS = ['postgresql', 'redis', 'replichart'] as const;
export type System = (typeof SYSTEMS)[number];

export interface PeersOptions {
  /** Single commits that the lag is measured with, in each turn. */
  readonly lagCommits: number;
  readonly systems: readonly System[];
  readonly goals: readonly GoalId[];
}

/** Clients of the rate of durable commits. */
const CLIENTS = [1, 64] as const;

const LIMITS: readonly string[] = [
  'All systems, and what asks them, share the cores of one machine. They take turns, but every primary stays up between its turns.',
  'A time of catching up begins with the spawn of the follower. That of Redis is its start and the time from the command that names its primary; the beginning of its append-only file stands between them and is not counted.',
  'PostgreSQL replays a WAL of one transaction a document; autovacuum is off and no checkpoint falls into it. Redis has no snapshots and no rewrites of its append-only file that it would begin by itself, and does not wait for other followers before it sends its state.',
  'The WAL of Replichart was made with 1,000 commits in flight, so a frame holds about as many.',
  'A lag is never less than one question to the follower and its answer: that is shown beside it. PostgreSQL and Redis are asked in their own protocols, Replichart over HTTP.',
  'Only PostgreSQL and Replichart, and Redis with appendfsync always, have on disk what they have acknowledged; Redis with everysec may lose a second.',
  'Memory: of PostgreSQL the proportional share of all its processes together, seen every 250 ms; of the others the peak of the resident memory of their one process.',
  'The snapshot of Replichart is made before the time of its bootstrap and is shown beside it; pg_basebackup and Redis make theirs within the time.',
];

/** The same work on Replichart and on its peers, in turns. */
export function peersWorkload(options: PeersOptions): Workload {
  return {
    name: 'peers',
    summary: 'PostgreSQL, Redis and Replichart on the same work in the same run',
    limits: LIMITS,
    defaults: { seconds: 5, rounds: 5, documents: 1_000_000 },
    run: (surroundings) => run(surroundings, options),
  };
}

async function run(surroundings: Surroundings, options: PeersOptions): Promise<Measured> {
  const { processes, rounds, seconds, documents, signal, say } = surroundings;
  const root = processes.directoryOf('peers');
  // Some peers run as users of their own, who must be able to come to their files.
  await chmod(dirname(root), 0o711);
  await mkdir(root);
  say('installing what is absent');
  await installPeers(
    options.systems.filter((system) => system !== 'replichart'),
    signal,
  );
  const servers = new Servers(signal);
  try {
    const contestants = await contestantsOf(surroundings, options, root, servers);
    for (const contestant of contestants) {
      say(`${contestant.name}: preparing`);
      await contestant.prepare();
    }
    const turns: Turn[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const contestant of inTurn(contestants, round)) {
        say(`round ${round} of ${rounds}: ${contestant.name}`);
        turns.push(await turnOf(contestant, { round, index: turns.length, documents, signal, options }));
      }
    }
    const rates: Rate[] = [];
    if (options.goals.includes('P5'))
      for (const contestant of contestants)
        for (const clients of CLIENTS) {
          say(`${contestant.name}: commits of ${clients} clients`);
          const rate = await contestant.commitRate(clients, seconds);
          if (rate !== null) rates.push({ contestant: contestant.name, ...rate });
        }
    const versions = contestants.map(({ name, version }) => ({ name, version }));
    return measuredOf({ documents, options, versions, turns, rates, seconds });
  } finally {
    await servers.endAll();
  }
}

async function contestantsOf(
  { processes, documents, signal, say }: Surroundings,
  { systems }: PeersOptions,
  root: string,
  servers: Servers,
): Promise<readonly Contestant[]> {
  const settle = async () => void (await servers.run('sync', [], null));
  const workIn = (name: string): Work => ({ directory: join(root, name), documents, signal, say, settle });
  const redis = new RedisPrimary(workIn('redis'), servers);
  const makers: Readonly<Record<System, () => Promise<readonly Contestant[]>>> = {
    postgresql: async () => [await Postgresql.make(workIn('postgresql'), servers)],
    redis: async () => [new Redis(redis, 'everysec'), new Redis(redis, 'always')],
    replichart: async () => [new Replichart(workIn('replichart'), processes)],
  };
  const contestants: Contestant[] = [];
  for (const system of systems) contestants.push(...(await makers[system]()));
  return contestants;
}

/** Each round begins with another contestant: what a turn leaves behind is not always felt by the same one. */
function inTurn(contestants: readonly Contestant[], round: number): readonly Contestant[] {
  const first = (round - 1) % contestants.length;
  return [...contestants.slice(first), ...contestants.slice(0, first)];
}

interface Turning {
  readonly round: number;
  /** Of all turns: the documents of the lag are new ones in each. */
  readonly index: number;
  readonly documents: number;
  readonly signal: AbortSignal;
  readonly options: PeersOptions;
}

async function turnOf(contestant: Contestant, turning: Turning): Promise<Turn> {
  const { goals } = turning.options;
  const needsFollower = goals.some((goal) => goal === 'P1' || goal === 'P3' || goal === 'P4');
  const followed = needsFollower ? await followedBy(contestant, turning) : { catch_up: null, lag: null };
  turning.signal.throwIfAborted();
  const bootstrap = goals.includes('P2') ? await contestant.bootstrap(turning.round) : null;
  return { round: turning.round, contestant: contestant.name, ...followed, bootstrap };
}

async function followedBy(contestant: Contestant, { round, index, documents, signal, options }: Turning) {
  const { goals, lagCommits } = options;
  const follower = await contestant.catchUp(round);
  if (!goals.includes('P3')) {
    await follower.end();
    return { catch_up: follower.figures, lag: null };
  }
  const live = await follower.live();
  const lag = await measureLag(live, { first: documents + index * lagCommits, commits: lagCommits, signal });
  await live.end();
  await follower.end();
  return { catch_up: follower.figures, lag };
}
