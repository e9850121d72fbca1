import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CONFIG_FIELDS } from '../../src/core/config.ts';
import { cli, cliJson } from '../support/cli.ts';
import { fingerprint } from '../support/files.ts';
import { haltedDirectory } from '../support/halts.ts';
import { CLUSTER, NODE, OTHER_CLUSTER, startPrimary, temporaryDirectory } from '../support/nodes.ts';
import { runProcess } from '../support/processes.ts';

interface Row {
  readonly check: string;
  readonly ok: boolean;
  readonly code: string | null;
  readonly detail: string;
  readonly evidence: Record<string, unknown>;
}
interface Checked {
  readonly role: string;
  readonly ok: boolean;
  readonly fields: readonly {
    readonly field: string;
    readonly value: unknown;
    readonly source: string;
  }[];
  readonly checks: readonly Row[];
}

const IDENTITY_AND_HALT = [
  'data_directory',
  'P5-I11 identityIsReadable',
  'P5-I1 formatIsKnown',
  'P5-I1 roleIsUnchanged',
  'P5-I1 clusterIsUnchanged',
  'P5-I1 nodeIsUnchanged',
  'P5-I10 noHaltIsRecorded',
];
const PRIMARY_URL = ['--primary', 'http://127.0.0.1:1'];

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
const checkPrimary = (...flags: readonly string[]) =>
  cliJson<Checked>(['config', 'check', 'primary', ...flags]);
const checkReplica = (...flags: readonly string[]) =>
  cliJson<Checked>(['config', 'check', 'replica', ...flags]);

/** The directory of a primary that has stopped. */
async function stoppedPrimary(): Promise<string> {
  const dataDir = await temporaryDirectory();
  const primary = await startPrimary({ dataDir, clusterId: CLUSTER, nodeId: NODE });
  await primary.stop();
  return dataDir;
}

const failing = ({ checks }: Checked) =>
  checks.filter(({ ok }) => !ok).map(({ check, code }) => [check, code]);

afterEach(() => void vi.unstubAllEnvs());

describe('every field with its value and where that came from', () => {
  test('file, environment and flags, the later stronger; a secret is never shown', async () => {
    const directory = await temporaryDirectory();
    const [file, token] = [join(directory, 'node.json'), join(directory, 'token')];
    await writeFile(
      file,
      JSON.stringify({ role: 'primary', logLevel: 'warn', bootstrap: 'snapshot', primaryToken: 'hidden-1' }),
    );
    await writeFile(token, 'hidden-2\n');
    vi.stubEnv('REPLICHART_LOG_LEVEL', 'error');
    vi.stubEnv('REPLICHART_CLUSTER_ID', CLUSTER);
    const flags = [
      ...['--data', join(directory, 'none'), ...PRIMARY_URL],
      ...['--config', file, '--token-file', token, '--reattach', '1s'],
    ];
    const { exit, body, err } = await checkReplica(...flags);
    expect([exit, err, body.role, body.ok]).toEqual([0, '', 'replica', true]);
    expect(body.fields.map(({ field }) => field)).toEqual(CONFIG_FIELDS);
    const set = body.fields.filter(({ source }) => source !== 'default');
    expect(set.map(({ field, value, source }) => [field, value, source])).toEqual([
      ['role', 'replica', 'command'],
      ['dataDir', join(directory, 'none'), 'flags'],
      ['replication', 'enabled', 'command'],
      ['primaryUrl', 'http://127.0.0.1:1', 'flags'],
      ['bootstrap', 'snapshot', `file ${file}`],
      ['clusterId', CLUSTER, 'environment'],
      ['token', '(set)', 'flags'],
      ['primaryToken', '(set)', `file ${file}`],
      ['logLevel', 'error', 'environment'],
    ]);
    expect(body.checks.map(({ check }) => check)).toEqual(['token_file', ...IDENTITY_AND_HALT]);
    const plain = await cli(['config', 'check', 'replica', ...flags]);
    expect(plain.exit).toBe(0);
    expect(plain.out.split('\n').slice(0, 2)).toEqual([
      'role\treplica\tcommand',
      `dataDir\t${join(directory, 'none')}\tflags`,
    ]);
    expect(plain.out).toContain(`\n\ntoken_file\tok\t${token} can be read\n`);
    expect(plain.out + JSON.stringify(body)).not.toContain('hidden');
  });

  test('what is not valid is refused with every fault, as a start refuses it', async () => {
    const { exit, body } = await cliJson<{ error: Record<string, unknown> }>([
      ...['config', 'check', 'replica', '--log-level', 'loud', '--bootstrap', 'guess'],
    ]);
    expect(exit).toBe(3);
    expect(body.error).toMatchObject({
      code: 'CONFIG_INVALID',
      message:
        'the configuration is not valid: dataDir is not set: it is required; ' +
        'bootstrap is "guess" (from the flags): must be "wal" or "snapshot"; ' +
        'logLevel is "loud" (from the flags): must be one of trace, debug, info, warn, error, fatal, silent',
    });
  });

  test('each plane, and the primary, has a token file of its own: the rows tell them apart', async () => {
    const directory = await temporaryDirectory();
    const file = async (name: string) => {
      await writeFile(join(directory, name), `hidden-${name}\n`);
      return join(directory, name);
    };
    const flags = [
      ...['--token-file', await file('t'), '--replication-token-file', await file('r')],
      ...['--data-token-file', await file('d'), '--dx-token-file', await file('x')],
      ...['--dx', 'disabled', '--connections-max', '64'],
    ];
    const ofReplica = [
      ...['--primary-token-file', await file('p'), '--primary-ca', fixture('tls-cert.pem'), ...PRIMARY_URL],
    ];
    const data = ['--data', join(directory, 'none')];
    const rows = (names: readonly (readonly [string, string])[]) =>
      names.map(([check, name]) => [check, `${join(directory, name)} can be read`]);
    const own = [
      ['token_file', 't'],
      ['replication_token_file', 'r'],
      ['data_token_file', 'd'],
      ['dx_token_file', 'x'],
    ] as const;
    const primary = await checkPrimary(...data, ...flags);
    expect(primary.exit).toBe(0);
    const shown = ({ checks }: Checked) => checks.map(({ check, detail }) => [check, detail]);
    expect(shown(primary.body).slice(0, 4)).toEqual(rows(own));
    const fields = ({ body }: { readonly body: Checked }) =>
      body.fields.filter(({ source }) => source === 'flags').map(({ field, value }) => [field, value]);
    const set = [
      ['token', '(set)'],
      ['replicationToken', '(set)'],
      ['dataToken', '(set)'],
      ['dxToken', '(set)'],
    ];
    expect(fields(primary)).toEqual([
      ['dataDir', join(directory, 'none')],
      ...set,
      ['dx', 'disabled'],
      ['connectionsMax', 64],
    ]);
    const replica = await checkReplica(...data, ...flags, ...ofReplica);
    expect(replica.exit).toBe(0);
    expect(shown(replica.body).slice(0, 6)).toEqual([
      ...rows([...own, ['primary_token_file', 'p']]),
      ['primary_ca_file', `${fixture('tls-cert.pem')} can be read`],
    ]);
    expect(fields(replica)).toEqual([
      ['dataDir', join(directory, 'none')],
      ['primaryUrl', 'http://127.0.0.1:1'],
      ...set,
      ['primaryToken', '(set)'],
      ['dx', 'disabled'],
      ['connectionsMax', 64],
      ['primaryCaFile', fixture('tls-cert.pem')],
    ]);
    expect(JSON.stringify([primary, replica])).not.toContain('hidden');
    expect((await cli(['config', 'check', 'primary', ...data, ...ofReplica])).exit).toBe(2);
  });

  test.each([
    ['--token-file', 'absent', 'tokenFile is absent'],
    ['--replication-token-file', 'absent', 'replicationTokenFile is absent'],
    ['--data-token-file', 'absent', 'dataTokenFile is absent'],
    ['--dx-token-file', 'absent', 'dxTokenFile is absent'],
    ['--primary-token-file', 'absent', 'primaryTokenFile is absent'],
    ['--token-file', '/dev/null', 'the configuration is not valid: token is set'],
    ['--dx', 'off', 'the configuration is not valid: dx is "off"'],
    ['--connections-max', '7', 'the configuration is not valid: connectionsMax is "7"'],
    ['--connections-max', 'many', 'the configuration is not valid: connectionsMax is "many"'],
    ['--config', 'absent', 'config is absent'],
    ['--reattach', 'soon', 'reattach is "soon"'],
  ])('%s %s is refused', async (flag, value, message) => {
    const { exit, out, err } = await cli([
      ...['config', 'check', 'replica', '--data', 'none', ...PRIMARY_URL, flag, value],
    ]);
    expect([exit, out]).toEqual([3, '']);
    expect(err).toContain(`CONFIG_INVALID: ${message}`);
  });
});

describe('what a start would meet', () => {
  test('a directory that does not exist, and is not made', async () => {
    const dataDir = join(await temporaryDirectory(), 'none');
    const { exit, body } = await checkPrimary('--data', dataDir);
    expect([exit, body.ok]).toEqual([0, true]);
    expect(body.checks.map(({ check }) => check)).toEqual(IDENTITY_AND_HALT);
    expect(body.checks[0]).toEqual({
      check: 'data_directory',
      ok: true,
      code: null,
      detail: 'it does not exist: a start makes it',
      evidence: { directory: dataDir },
    });
    await expect(readdir(dataDir)).rejects.toThrow('ENOENT');
    await mkdir(dataDir);
    const { body: empty } = await checkPrimary('--data', dataDir);
    expect(empty.checks[0]?.detail).toBe('it is empty: a start makes it its own');
  });

  test('P5-I14: its own directory, also while the node runs; nothing is changed', async () => {
    const dataDir = await temporaryDirectory();
    await startPrimary({ dataDir, clusterId: CLUSTER, nodeId: NODE });
    const before = await fingerprint(dataDir, /^$/);
    const { exit, body } = await checkPrimary('--data', dataDir, '--cluster-id', CLUSTER, '--node-id', NODE);
    expect([exit, body.ok]).toEqual([0, true]);
    expect(body.checks[0]?.detail).toBe(`it is the directory of primary ${NODE} of cluster ${CLUSTER}`);
    expect(await fingerprint(dataDir, /^$/)).toEqual(before);
  });

  test('P5-I1: the directory of another role, cluster and node, each by the rule of the chart', async () => {
    const dataDir = await stoppedPrimary();
    const flags = [
      '--data',
      dataDir,
      ...PRIMARY_URL,
      '--cluster-id',
      OTHER_CLUSTER,
      '--node-id',
      OTHER_CLUSTER,
    ];
    const { exit, body, err } = await checkReplica(...flags);
    expect(exit).toBe(3);
    expect(failing(body)).toEqual([
      ['P5-I1 roleIsUnchanged', 'ROLE_CHANGED'],
      ['P5-I1 clusterIsUnchanged', 'CLUSTER_CHANGED'],
      ['P5-I1 nodeIsUnchanged', 'NODE_CHANGED'],
    ]);
    const row = body.checks.find(({ check }) => check === 'P5-I1 roleIsUnchanged');
    expect(row?.evidence).toEqual({
      file: 'identity',
      expected: { format_version: 1, role: 'replica', cluster_id: OTHER_CLUSTER, node_id: OTHER_CLUSTER },
      found: { format_version: 1, role: 'primary', cluster_id: CLUSTER, node_id: NODE },
    });
    expect(err).toMatch(/^replichart: ROLE_CHANGED \(P5-I1\): a start would be stopped: /);
  });

  test('P5-I11: an identity that is damaged, and one that is missing', async () => {
    const dataDir = await stoppedPrimary();
    await writeFile(join(dataDir, 'identity'), 'nobody');
    const damaged = await checkPrimary('--data', dataDir);
    expect([damaged.exit, failing(damaged.body)]).toEqual([
      5,
      [['P5-I11 identityIsReadable', 'IDENTITY_DAMAGED']],
    ]);
    const other = await temporaryDirectory();
    await writeFile(join(other, 'file'), '');
    const missing = await checkPrimary('--data', other);
    expect([missing.exit, failing(missing.body)]).toEqual([
      5,
      [['P5-I11 identityIsReadable', 'IDENTITY_MISSING']],
    ]);
  });

  test('P5-I10: a recorded halt, unless replication is switched off', async () => {
    const dataDir = await haltedDirectory();
    const { exit, body, err } = await checkReplica('--data', dataDir, ...PRIMARY_URL);
    expect([exit, failing(body)]).toEqual([5, [['P5-I10 noHaltIsRecorded', 'WAL_CORRUPT']]]);
    expect(err).toContain(
      'replichart: WAL_CORRUPT (P5-I11): a start would be stopped: the node has halted: ',
    );
    const off = await checkReplica('--data', dataDir, ...PRIMARY_URL, '--replication', 'disabled');
    expect([off.exit, off.body.checks.map(({ check }) => check)]).toEqual([
      0,
      IDENTITY_AND_HALT.slice(0, -1),
    ]);
  });

  test('a data directory that is a file', async () => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    const { exit, body } = await checkPrimary('--data', file);
    expect([exit, failing(body)]).toEqual([1, [['data_directory', 'STORAGE_FAILED']]]);
  });

  test('TLS and CA files, where the node reads them', async () => {
    const directory = await temporaryDirectory();
    const [cert, key, absent] = [fixture('tls-cert.pem'), fixture('tls-key.pem'), join(directory, 'absent')];
    const data = ['--data', join(directory, 'none'), '--listen', '127.0.0.1:0'];
    const tls = (certFile: string, keyFile: string) => ['--tls-cert', certFile, '--tls-key', keyFile];
    const good = await checkPrimary(...data, ...tls(cert, key));
    expect([good.exit, good.body.checks.slice(0, 3).map(({ check, ok }) => [check, ok])]).toEqual([
      0,
      [
        ['tls_cert_file', true],
        ['tls_key_file', true],
        ['tls_key_pair', true],
      ],
    ]);
    const noKey = await checkPrimary(...data, ...tls(cert, cert));
    expect([noKey.exit, failing(noKey.body)]).toEqual([3, [['tls_key_pair', 'CONFIG_INVALID']]]);
    vi.stubEnv('REPLICHART_PRIMARY_CA_FILE', absent);
    const none = await checkReplica(...data, ...PRIMARY_URL, ...tls(absent, key));
    expect([none.exit, failing(none.body)]).toEqual([
      3,
      [
        ['tls_cert_file', 'CONFIG_INVALID'],
        ['tls_key_pair', 'CONFIG_INVALID'],
        ['primary_ca_file', 'CONFIG_INVALID'],
      ],
    ]);
    expect(none.err).toContain(`tlsCertFile is "${absent}": it cannot be read: ENOENT`);
    // Without an address nobody reads a certificate.
    expect((await checkPrimary('--data', join(directory, 'none'), ...tls(absent, absent))).exit).toBe(0);
  });
});

test('the exit code is the one that the start gives', async () => {
  const starts: readonly (readonly string[])[] = [
    ['replica', '--data', await stoppedPrimary(), ...PRIMARY_URL],
    ['primary', '--data', 'none', '--listen', '127.0.0.1:0', '--tls-cert', 'no', '--tls-key', 'no'],
    ['primary', '--data', fileURLToPath(import.meta.url)],
    ['primary', '--listen', 'nowhere'],
  ];
  for (const args of starts) {
    const node = runProcess([...args, '--log-level', 'silent']);
    const { code } = await node.exited;
    const checked = await cli(['config', 'check', ...args]);
    expect([args, checked.exit]).toEqual([args, code]);
    expect(code).not.toBe(0);
  }
});
