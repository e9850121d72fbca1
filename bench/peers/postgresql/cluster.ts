import { mkdir, readdir, rm, chown, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { BenchFailure } from '../../../src/bench/failure.ts';
import { connected, freePort, type Account, type Server, type Servers } from '../servers.ts';
import { DATABASE, PostgresqlConnection, USER } from './connection.ts';

const DEBIAN = '/usr/lib/postgresql';
/** The WAL that a document takes is far below this: nothing that a standby needs is ever removed. */
const WAL_BYTES_PER_DOCUMENT = 4_096;
const WAL_MEBIBYTES_MIN = 4_096;

/** A data directory of PostgreSQL, and the server on it while it runs. */
export interface Running {
  readonly server: Server;
  readonly port: number;
  readonly directory: string;
}

/** The programs of PostgreSQL, run as the user that they insist on. */
export class Cluster {
  readonly #servers: Servers;
  readonly #root: string;
  readonly #documents: number;
  readonly #programs: string;
  readonly #account: Account | null;

  private constructor(
    servers: Servers,
    {
      root,
      documents,
      programs,
      account,
    }: { root: string; documents: number; programs: string; account: Account | null },
  ) {
    this.#servers = servers;
    this.#root = root;
    this.#documents = documents;
    this.#programs = programs;
    this.#account = account;
  }

  static async make(servers: Servers, root: string, documents: number): Promise<Cluster> {
    const programs = await programDirectory();
    const account = await accountFor(servers);
    await mkdir(root);
    if (account !== null) await chown(root, account.uid, account.gid);
    return new Cluster(servers, { root, documents, programs, account });
  }

  directoryOf(name: string): string {
    return join(this.#root, name);
  }

  run(program: string, ...args: readonly string[]): Promise<string> {
    return this.#servers.run(join(this.#programs, program), args, this.#account, this.#root);
  }

  async initialize(name: string): Promise<void> {
    const encoding = ['--encoding=UTF8', '--locale=C'];
    await this.run('initdb', '--auth=trust', `--username=${USER}`, ...encoding, '-D', this.directoryOf(name));
  }

  /** A copy of a primary that runs, which follows it when it is started. */
  async baseBackup(name: string, primary: Running): Promise<void> {
    const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', USER];
    await this.run(
      'pg_basebackup',
      ...from,
      '-D',
      this.directoryOf(name),
      '-X',
      'stream',
      '-c',
      'fast',
      '-R',
    );
  }

  async copy(from: string, to: string): Promise<void> {
    await this.#servers.run(
      'cp',
      ['-a', this.directoryOf(from), this.directoryOf(to)],
      this.#account,
      this.#root,
    );
  }

  async remove(name: string): Promise<void> {
    await rm(this.directoryOf(name), { recursive: true, force: true });
  }

  async start(name: string): Promise<Running> {
    const port = await freePort();
    const directory = this.directoryOf(name);
    const logFile = `${directory}.log`;
    await writeFile(logFile, '', { flag: 'a' });
    const server = this.#servers.start({
      name: `PostgreSQL ${name}`,
      program: join(this.#programs, 'postgres'),
      args: ['-D', directory, ...settings(port, this.#documents)],
      directory: this.#root,
      logFile,
      account: this.#account,
      endSignal: 'SIGQUIT',
    });
    return { server, port, directory };
  }

  connect({ server, port }: Running): Promise<PostgresqlConnection> {
    return connected(server, () => PostgresqlConnection.open(port));
  }

  async rates(primary: Running, script: string, clients: number, seconds: number): Promise<string> {
    const file = this.directoryOf('pgbench.sql');
    await writeFile(file, script);
    const at = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', USER];
    const threads = Math.min(clients, 2);
    const load = ['-c', String(clients), '-j', String(threads), '-T', String(Math.ceil(seconds))];
    return this.run('pgbench', ...at, '-n', '-M', 'prepared', '-f', file, ...load, DATABASE);
  }
}

/**
 * Durable, and what is not named here as PostgreSQL comes. No checkpoint and no vacuum is due while W1 is written, so that the
 * WAL holds W1 and nothing else.
 */
function settings(port: number, documents: number): readonly string[] {
  const walMebibytes = Math.max(WAL_MEBIBYTES_MIN, Math.ceil((documents * WAL_BYTES_PER_DOCUMENT) / 2 ** 20));
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    wal_level: 'replica',
    hot_standby: 'on',
    autovacuum: 'off',
    checkpoint_timeout: '1h',
    max_wal_size: `${walMebibytes}MB`,
    wal_keep_size: `${walMebibytes}MB`,
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function programDirectory(): Promise<string> {
  const versions = existsSync(DEBIAN) ? await readdir(DEBIAN) : [];
  const newest = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN, version, 'bin'));
  const found = [...newest, ...(process.env['PATH'] ?? '').split(delimiter)].find(
    (directory) => existsSync(join(directory, 'initdb')) && existsSync(join(directory, 'postgres')),
  );
  if (found === undefined)
    throw new BenchFailure(
      'PostgreSQL is not installed: run bench/peers/install-peers, or leave it out by --only',
    );
  return found;
}

/** PostgreSQL does not run as root: then it runs as the user that its package has made. */
async function accountFor(servers: Servers): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const id = async (what: string) => Number(await servers.run('id', [what, 'postgres'], null));
  return { uid: await id('-u'), gid: await id('-g') };
}
