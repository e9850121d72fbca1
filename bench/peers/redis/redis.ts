import { rm } from 'node:fs/promises';
import { BenchFailure } from '../../../src/bench/failure.ts';
import { peakRssBytes } from '../../../src/bench/process-facts.ts';
import { rounded } from '../../../src/bench/statistics.ts';
import { documentKey, documentText } from '../../../src/bench/w1.ts';
import type { Bootstrap, CaughtUp, Contestant, LiveFollower } from '../contestant.ts';
import { catchUpOf, until } from '../measure.ts';
import { freePort } from '../servers.ts';
import { RedisConnection } from './connection.ts';
import type { AppendFsync, RedisPrimary, RunningRedis } from './primary.ts';

/** A replica of Redis with an append-only file of its own. */
export class Redis implements Contestant {
  readonly name: string;
  readonly #appendFsync: AppendFsync;
  readonly #primary: RedisPrimary;

  constructor(primary: RedisPrimary, appendFsync: AppendFsync) {
    this.name = `redis-${appendFsync}`;
    this.#primary = primary;
    this.#appendFsync = appendFsync;
  }

  get version(): string {
    return this.#primary.version;
  }

  prepare(): Promise<void> {
    return this.#primary.prepare();
  }

  /**
   * Its process starts with a primary that is not there, because Redis takes up a stream again only from a snapshot, and the
   * append-only file can be begun only then. So the time is that of the start and that from the moment at which it is told its
   * primary; what lies between is not counted.
   */
  async catchUp(round: number): Promise<CaughtUp> {
    const primary = this.#primary.running;
    const name = `${this.name}-${round}`;
    const partialBefore = Number(await primary.connection.info('stats', 'sync_partial_ok'));
    const end = Number(await primary.connection.info('replication', 'master_repl_offset'));
    await this.#primary.copyOfEmptyFollower(name);
    await this.#primary.work.settle();
    const follower = await this.#primary.start(name, {
      replicaof: `127.0.0.1 ${await freePort()}`,
      appendfsync: this.#appendFsync,
    });
    const started = follower.ready - follower.server.spawnedAt;
    await this.#beginAppendOnlyFile(follower);
    const ready = performance.now();
    await follower.connection.ask('REPLICAOF', '127.0.0.1', String(primary.port));
    const offset = async () => Number(await follower.connection.info('replication', 'slave_repl_offset'));
    await until('the follower has caught up', async () => (await offset()) >= end, this.#primary.work.signal);
    const moments = { spawned: ready - started, ready, caughtUp: performance.now() };
    const peak = await peakRssBytes(follower.server.pid);
    if (Number(await primary.connection.info('stats', 'sync_partial_ok')) !== partialBefore + 1)
      throw new BenchFailure(
        'Redis has sent its whole state instead of the commands that the follower lacks',
      );
    await this.#proveComplete(follower);
    return {
      figures: catchUpOf(this.#primary.work.documents, moments, peak),
      live: () => this.#live(follower),
      end: () => remove(follower),
    };
  }

  /** What is behind the spawn of an empty follower: the state of the primary, over the connection, and its loading. */
  async bootstrap(round: number): Promise<Bootstrap> {
    await this.#primary.work.settle();
    const follower = await this.#primary.start(`${this.name}-bootstrap-${round}`, {
      replicaof: `127.0.0.1 ${this.#primary.running.port}`,
      appendonly: 'yes',
      appendfsync: this.#appendFsync,
    });
    const isUp = async () => (await follower.connection.info('replication', 'master_link_status')) === 'up';
    await until('the follower is in sync', isUp, this.#primary.work.signal);
    await this.#proveComplete(follower);
    const milliseconds = rounded(performance.now() - follower.server.spawnedAt);
    await remove(follower);
    return { milliseconds, prepared_in_milliseconds: 0 };
  }

  async commitRate(): Promise<null> {
    return null;
  }

  async #beginAppendOnlyFile({ connection }: RunningRedis): Promise<void> {
    await connection.ask('CONFIG', 'SET', 'appendonly', 'yes');
    const isWritten = async () => {
      const [running, scheduled] = [
        await connection.info('persistence', 'aof_rewrite_in_progress'),
        await connection.info('persistence', 'aof_rewrite_scheduled'),
      ];
      return running === '0' && scheduled === '0';
    };
    await until('the append-only file is begun', isWritten, this.#primary.work.signal);
  }

  async #proveComplete({ connection }: RunningRedis): Promise<void> {
    const count = Number(await connection.ask('DBSIZE'));
    if (count < this.#primary.work.documents)
      throw new BenchFailure(`the follower has ${count} documents of ${this.#primary.work.documents}`);
  }

  async #live(follower: RunningRedis): Promise<LiveFollower> {
    const writer = await RedisConnection.open(this.#primary.running.port);
    await writer.ask('CONFIG', 'SET', 'appendfsync', this.#appendFsync);
    return {
      write: async (n) => void (await writer.ask('SET', documentKey(n), documentText(n))),
      isVisible: async (n) => (await follower.connection.ask('GET', documentKey(n))) !== null,
      async end() {
        await writer.ask('CONFIG', 'SET', 'appendfsync', 'no');
        await writer.close();
      },
    };
  }
}

async function remove({ server, connection, directory }: RunningRedis): Promise<void> {
  await connection.close();
  await server.end();
  await rm(directory, { recursive: true, force: true });
}
