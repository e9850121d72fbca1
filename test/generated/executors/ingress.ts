import type { ingressActors } from '../../../machines/2-ingress.ts';
import { FORMAT_VERSION } from '../../../src/core/limits.ts';
import { REPLICATION_HEADERS } from '../../../src/core/replication-protocol.ts';
import { indexOf, unitAt } from '../history.ts';
import type { World } from '../world.ts';
import {
  injected,
  peer,
  seamAnswers,
  seamThrows,
  source,
  world,
  type EffectExecutors,
  type Executor,
} from './executor.ts';

const WAL = /\/wal\?/;

const refusing = (why: string, refuse: 'HISTORY_DIVERGED' | 'POSITION_INVALID' | 'WAL_PRUNED') =>
  peer(why, async ({ relay }) => relay.rule({ of: WAL, refuse }));

/** The relay is as it is at the start, whatever the step before has made of it. */
const honest = (cause: (one: World) => Promise<void> = async () => undefined): Executor =>
  world(async (one) => {
    one.relay.rule(null);
    one.relay.leadTo(one.history.followed.url);
    await cause(one);
  });

/** The primary of all paths holds more than any path asks for: it is further on whenever somebody attaches. */
const saysWhereItIs = async (one: World) => {
  one.left.primarySaid = one.history.followed.position();
};

/** What is said again is no news: only a primary that goes on has something to say, while its bytes are held back. */
const notice = world(async (one) => {
  await one.source.stream.giveNotice(await one.history.followed.commit());
  await saysWhereItIs(one);
});

const unreachable = world(async ({ relay }) => relay.rule({ of: /./, drop: true }));

const nextUnit = async (one: World, receivedLsn: number | null) => {
  const unit = unitAt(one.units, indexOf(one.units, receivedLsn));
  return one.source.stream.take(unit.bytes.length);
};

/** How each way in which ingress ends is caused. */
export const ingressExecutors: Record<keyof typeof ingressActors, EffectExecutors> = {
  meetPrimary: {
    outcomes: {
      met: honest(),
      'met, of another format': peer('there is one format version only', async ({ relay }) =>
        relay.rule({
          of: /identity/,
          body: (piece) =>
            Buffer.from(
              piece
                .toString()
                .replace(`"format_version":${FORMAT_VERSION}`, `"format_version":${FORMAT_VERSION + 1}`),
            ),
        }),
      ),
      'met, of another cluster': world(async ({ relay, history }) => relay.leadTo(history.urls.otherCluster)),
      refused: world(async ({ relay, history }) => relay.leadTo(history.urls.guarded)),
      unreachable,
    },
    fails: source('the HTTP source answers where others throw', async (one) =>
      one.source.failNext('identify', injected()),
    ),
  },
  attach: {
    outcomes: {
      attached: honest(saysWhereItIs),
      'attached, and further on': honest(async (one) => {
        await one.history.followed.commit();
        await one.history.followed.commit();
        await saysWhereItIs(one);
      }),
      'attached to another cluster': world(async ({ relay, history, left }) => {
        relay.leadTo(history.urls.otherCluster);
        left.primarySaid = history.otherCluster.position();
      }),
      'attached at another place': peer('a primary answers from where it was asked', async (one) => {
        const startLsn = String(one.units.chains[1]?.lsn);
        one.relay.rule({ of: WAL, headers: { [REPLICATION_HEADERS.startLsn]: startLsn } });
        await saysWhereItIs(one);
      }),
      'refused: diverged': refusing('the beginning is everybody’s history', 'HISTORY_DIVERGED'),
      'refused: no such position': refusing('the beginning is a position of everybody', 'POSITION_INVALID'),
      'refused: pruned': refusing('a primary does not prune yet', 'WAL_PRUNED'),
      unreachable,
    },
    fails: source('the HTTP source answers where others throw', async (one) =>
      one.source.failNext('openWal', injected()),
    ),
  },
  receive: {
    outcomes: {
      'a unit': world(async (one, { receivedLsn }) => {
        const { lsn, bytes } = await nextUnit(one, receivedLsn);
        one.source.stream.give(lsn, bytes);
      }),
      'a notice': notice,
      'a notice of more': notice,
      'the end': world(async (one) => {
        one.relay.cut();
        one.source.stream.giveEnd();
      }),
      'a gap between chunks': source(
        'over HTTP the place of a chunk is counted, so only a host’s own source can leave one out',
        async (one, { receivedLsn }) => {
          const { lsn, bytes } = await nextUnit(one, receivedLsn);
          one.source.stream.give(lsn + 1, bytes);
        },
      ),
      'a unit at another place': peer(
        'the bytes of the second unit come where the first is due',
        async (one, { receivedLsn }) => {
          const { lsn } = await nextUnit(one, receivedLsn);
          const later = await nextUnit(
            one,
            one.units.chains[indexOf(one.units, receivedLsn) + 1]?.lsn ?? null,
          );
          one.source.stream.give(lsn, later.bytes);
        },
      ),
      'a batch from elsewhere': seamAnswers(
        'the inbox begins where the node has received to; that it says so is what the seam denies',
        ({ units: { chains } }, { receivedLsn }) => ({
          expectedLsn: receivedLsn,
          fromLsn: chains[1]?.lsn,
          toLsn: chains[2]?.lsn,
          units: 1,
          suspect: null,
          chunkGap: null,
          primary: null,
          ended: null,
        }),
      ),
    },
    fails: seamThrows('it waits for bytes in memory, and a stream that breaks is an answer'),
  },
  persist: {
    outcomes: { persisted: world() },
    // A segment that does not come to be; where one is there already, bytes that are not appended.
    fails: world(async ({ disk, units }, { receivedLsn }) =>
      units.chains.some(({ lsn, expects }) => lsn === receivedLsn && expects === 'segment header')
        ? disk.failNext('open', /\.wal$/)
        : disk.failNext('handle.append', /\.wal$/),
    ),
  },
};
