import { BenchFailure } from '../../../src/bench/failure.ts';
import { documentKey, documentText } from '../../../src/bench/w1.ts';
import { rounded } from '../../../src/bench/statistics.ts';
import type {
  Bootstrap,
  CatchUp,
  CaughtUp,
  CommitRate,
  Contestant,
  LiveFollower,
  Work,
} from '../contestant.ts';
import { catchUpOf, until, watchSharedMemory } from '../measure.ts';
import type { Servers } from '../servers.ts';
import { Cluster, type Running } from './cluster.ts';
import type { PostgresqlConnection } from './connection.ts';

const SESSIONS = 4;
const TRANSACTIONS_IN_FLIGHT = 500;
const EMPTY_BACKUP = 'empty-backup';
const INSERT = 'insert into w1 (id, document) values ($1, $2)';
const PGBENCH_SCRIPT = `\\set n random(1, 9000000000000000000)
insert into rates (id, document) values ('user' || lpad((:n)::text, 19, '0'), repeat('x', 256)) on conflict do nothing;
`;

/** Physical replication: a standby that streams the WAL of the primary and replays it. */
export class Postgresql implements Contestant {
  readonly name = 'postgresql';
  readonly #work: Work;
  readonly #cluster: Cluster;
  #primary: Running | null = null;
  #end = '';
  #version = 'unknown';

  private constructor(work: Work, cluster: Cluster) {
    this.#work = work;
    this.#cluster = cluster;
  }

  static async make(work: Work, servers: Servers): Promise<Postgresql> {
    return new Postgresql(work, await Cluster.make(servers, work.directory, work.documents));
  }

  get version(): string {
    return this.#version;
  }

  async prepare(): Promise<void> {
    this.#version = (await this.#cluster.run('postgres', '--version')).trim();
    await this.#cluster.initialize('primary');
    this.#primary = await this.#cluster.start('primary');
    const connection = await this.#cluster.connect(this.#primary);
    await connection.query('create table w1 (id text primary key, document text not null)');
    await connection.query('create table rates (id text primary key, document text not null)');
    await this.#cluster.baseBackup(EMPTY_BACKUP, this.#primary);
    const committed = 'select xact_commit from pg_stat_database where datname = current_database()';
    const before = Number(await connection.value(committed));
    await this.#load();
    const isCounted = async () => Number(await connection.value(committed)) - before >= this.#work.documents;
    await until('PostgreSQL counts a transaction for each document', isCounted, this.#work.signal);
    // Committed synchronously, so that all that was committed before it is on disk too, and at the end of the WAL.
    await connection.query("select pg_logical_emit_message(true, 'bench', 'end of W1')");
    this.#end = (await connection.value('select pg_current_wal_flush_lsn()')) ?? '';
    await connection.close();
  }

  async catchUp(round: number): Promise<CaughtUp> {
    const name = `standby-${round}`;
    await this.#cluster.copy(EMPTY_BACKUP, name);
    await this.#work.settle();
    const standby = await this.#cluster.start(name);
    const memory = watchSharedMemory(standby.server.pid);
    const connection = await this.#cluster.connect(standby);
    const ready = performance.now();
    await this.#untilReplayed(connection);
    const moments = { spawned: standby.server.spawnedAt, ready, caughtUp: performance.now() };
    const figures: CatchUp = catchUpOf(this.#work.documents, moments, await memory.peak());
    await this.#proveComplete(connection);
    return {
      figures,
      live: () => this.#live(connection),
      end: async () => {
        await connection.close();
        await this.#remove(name, standby);
      },
    };
  }

  async bootstrap(round: number): Promise<Bootstrap> {
    const name = `bootstrap-${round}`;
    await this.#work.settle();
    const began = performance.now();
    await this.#cluster.baseBackup(name, this.#primaryOf());
    const standby = await this.#cluster.start(name);
    const connection = await this.#cluster.connect(standby);
    const replayed = `select pg_last_wal_replay_lsn() >= '${this.#end}'`;
    await until(
      'the copy is whole',
      async () => (await connection.value(replayed)) === 't',
      this.#work.signal,
    );
    const milliseconds = rounded(performance.now() - began);
    await this.#proveComplete(connection);
    await connection.close();
    await this.#remove(name, standby);
    return { milliseconds, prepared_in_milliseconds: 0 };
  }

  async commitRate(clients: number, seconds: number): Promise<CommitRate> {
    const text = await this.#cluster.rates(this.#primaryOf(), PGBENCH_SCRIPT, clients, seconds);
    const [, rate] = /^tps = ([\d.]+)/m.exec(text) ?? [];
    if (rate === undefined) throw new BenchFailure(`pgbench says no rate: ${text}`);
    return { clients, commits_per_second: Math.round(Number(rate)) };
  }

  async #load(): Promise<void> {
    const { documents, signal, say } = this.#work;
    let next = 0;
    const session = async () => {
      const connection = await this.#cluster.connect(this.#primaryOf());
      // Each is a transaction with a commit record of its own; only the waiting for the disk is left out.
      await connection.query('set synchronous_commit = off');
      await connection.prepare('insert', INSERT);
      while (next < documents) {
        signal.throwIfAborted();
        const count = Math.min(TRANSACTIONS_IN_FLIGHT, documents - next);
        const first = next;
        next += count;
        await connection.executeEach(
          'insert',
          Array.from({ length: count }, (_, index) => [
            documentKey(first + index),
            documentText(first + index),
          ]),
        );
        say(`PostgreSQL: ${first + count} of ${documents} documents are written`);
      }
      await connection.close();
    };
    await Promise.all(Array.from({ length: SESSIONS }, session));
  }

  /** Everything of W1 was flushed to the WAL of the standby, and replayed. */
  async #untilReplayed(connection: PostgresqlConnection): Promise<void> {
    const both = `select pg_last_wal_receive_lsn() >= '${this.#end}' and pg_last_wal_replay_lsn() >= '${this.#end}'`;
    await until(
      'the standby has replayed W1',
      async () => (await connection.value(both)) === 't',
      this.#work.signal,
    );
  }

  async #proveComplete(connection: PostgresqlConnection): Promise<void> {
    const count = Number(await connection.value('select count(*) from w1'));
    if (count < this.#work.documents)
      throw new BenchFailure(`the standby has ${count} documents of ${this.#work.documents}`);
  }

  async #live(standby: PostgresqlConnection): Promise<LiveFollower> {
    const primary = await this.#cluster.connect(this.#primaryOf());
    await primary.prepare('insert', INSERT);
    await standby.prepare('look', 'select 1 from w1 where id = $1');
    return {
      write: async (n) => void (await primary.execute('insert', [documentKey(n), documentText(n)])),
      isVisible: async (n) => (await standby.execute('look', [documentKey(n)])).length === 1,
      end: () => primary.close(),
    };
  }

  async #remove(name: string, { server }: Running): Promise<void> {
    await server.end();
    await this.#cluster.remove(name);
  }

  #primaryOf(): Running {
    if (this.#primary === null) throw new BenchFailure('PostgreSQL is not prepared');
    return this.#primary;
  }
}
