import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchFailure } from '../../../src/bench/failure.ts';
import { documentKey, documentText } from '../../../src/bench/w1.ts';
import type { Work } from '../contestant.ts';
import { until } from '../measure.ts';
import { connected, freePort, type Server, type Servers } from '../servers.ts';
import { RedisConnection } from './connection.ts';

const COMMANDS_IN_FLIGHT = 1_000;
/** More than the commands of W1 take, so that a follower that was in sync when all was empty can always catch up. */
const BACKLOG_BYTES_PER_DOCUMENT = 512;
const BACKLOG_BYTES_MIN = 64 * 2 ** 20;
const SNAPSHOT = 'dump.rdb';
const EMPTY_FOLLOWER = 'empty-follower';

/** When the append-only file of a server is synced: before the answer, or once a second. */
export type AppendFsync = 'everysec' | 'always';

export interface RunningRedis {
  readonly server: Server;
  readonly port: number;
  readonly directory: string;
  readonly connection: RedisConnection;
  /** The moment at which it took connections. */
  readonly ready: number;
}

/** The primary that Redis followers of both kinds begin from, and the programs around it. */
export class RedisPrimary {
  readonly work: Work;
  readonly #servers: Servers;
  #primary: RunningRedis | null = null;
  #prepared: Promise<void> | null = null;
  #version = 'unknown';

  constructor(work: Work, servers: Servers) {
    this.work = work;
    this.#servers = servers;
  }

  get version(): string {
    return this.#version;
  }

  get running(): RunningRedis {
    if (this.#primary === null) throw new BenchFailure('Redis is not prepared');
    return this.#primary;
  }

  /** Once for all who ask. */
  prepare(): Promise<void> {
    return (this.#prepared ??= this.#prepare());
  }

  directoryOf(name: string): string {
    return join(this.work.directory, name);
  }

  /** A directory in which a follower was in sync when its primary was empty, so that it needs the commands of W1 only. */
  async copyOfEmptyFollower(name: string): Promise<void> {
    await mkdir(this.directoryOf(name));
    await copyFile(join(this.directoryOf(EMPTY_FOLLOWER), SNAPSHOT), join(this.directoryOf(name), SNAPSHOT));
  }

  async start(name: string, settings: Readonly<Record<string, string>>): Promise<RunningRedis> {
    const directory = this.directoryOf(name);
    await mkdir(directory, { recursive: true });
    const port = await freePort();
    const all = { ...COMMON, ...settings, port: String(port), dir: directory, dbfilename: SNAPSHOT };
    const server = this.#servers.start({
      name: `Redis ${name}`,
      program: 'redis-server',
      args: Object.entries(all).flatMap(([key, value]) => [`--${key}`, ...value.split(' ')]),
      directory,
      logFile: `${directory}.log`,
      account: null,
      endSignal: 'SIGTERM',
    });
    const connection = await connected(server, () => RedisConnection.open(port));
    return { server, port, directory, connection, ready: performance.now() };
  }

  async #prepare(): Promise<void> {
    await mkdir(this.work.directory);
    this.#version = (await this.#servers.run('redis-server', ['--version'], null)).trim();
    const backlog = Math.max(BACKLOG_BYTES_MIN, this.work.documents * BACKLOG_BYTES_PER_DOCUMENT);
    this.#primary = await this.start('primary', {
      appendonly: 'yes',
      appendfsync: 'no',
      'repl-backlog-size': String(backlog),
      'repl-backlog-ttl': '0',
      'repl-diskless-sync-delay': '0',
    });
    await this.#makeEmptyFollower(this.#primary);
    await this.#load(this.#primary.connection);
  }

  async #makeEmptyFollower({ port }: RunningRedis): Promise<void> {
    const follower = await this.start(EMPTY_FOLLOWER, { replicaof: `127.0.0.1 ${port}` });
    const isUp = async () => (await follower.connection.info('replication', 'master_link_status')) === 'up';
    await until('the empty follower is in sync', isUp, this.work.signal);
    await follower.connection.ask('SAVE');
    await follower.connection.close();
    await follower.server.end();
  }

  async #load(connection: RedisConnection): Promise<void> {
    const { documents, signal, say } = this.work;
    for (let first = 0; first < documents; first += COMMANDS_IN_FLIGHT) {
      signal.throwIfAborted();
      const count = Math.min(COMMANDS_IN_FLIGHT, documents - first);
      await connection.askEach(
        Array.from({ length: count }, (_, index) => [
          'SET',
          documentKey(first + index),
          documentText(first + index),
        ]),
      );
      say(`Redis: ${first + count} of ${documents} documents are written`);
    }
  }
}

/**
 * What is not named here is as Redis comes. Snapshots and rewrites of the append-only file that Redis would begin by itself
 * are off: they would be work that the others do not have.
 */
const COMMON: Readonly<Record<string, string>> = {
  bind: '127.0.0.1',
  save: '',
  'auto-aof-rewrite-percentage': '0',
  daemonize: 'no',
};
