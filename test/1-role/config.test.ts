import { describe, expect, test } from 'vitest';
import {
  CONFIG_FIELDS,
  configFromEnvironment,
  environmentName,
  explainConfig,
  isLoopback,
  resolveConfig,
} from '../../src/core/config.ts';
import { ReplichartError } from '../../src/core/errors.ts';

const resolve = (...sources: Record<string, unknown>[]) =>
  resolveConfig(sources.map((values, index) => ({ name: `source ${index}`, values: values as never })));

function messageOf(values: Record<string, unknown>): string {
  try {
    resolve(values);
  } catch (error) {
    expect(error).toBeInstanceOf(ReplichartError);
    expect((error as ReplichartError).code).toBe('CONFIG_INVALID');
    return (error as ReplichartError).message;
  }
  throw new Error('it was taken for valid');
}

const primary = { role: 'primary', dataDir: 'd' };

const ORIGIN = 'each must be an origin: http:// or https://, a host, perhaps a port, and nothing behind';

describe('configuration', () => {
  test('P5-I16: replication is disabled unless it is asked for', () => {
    expect(resolve(primary)).toEqual({
      role: 'primary',
      dataDir: 'd',
      replication: 'disabled',
      dx: 'enabled',
      dxOrigins: [],
      connectionsMax: 1024,
      bootstrap: 'wal',
      segmentBytesMax: 64 * 1024 * 1024,
      flightRecorder: 'disabled',
      flightRecorderBytes: 64 * 1024 * 1024,
      logLevel: 'info',
    });
  });

  test('an unknown field is an error that names it', () => {
    expect(messageOf({ ...primary, dataDirectory: 'x' })).toBe(
      'the configuration is not valid: dataDirectory is "x" (from the source 0): there is no such field',
    );
  });

  test.each([
    [{ dataDir: 'd' }, 'role is not set: must be "primary" or "replica"'],
    [{ ...primary, role: 'leader' }, 'role is "leader" (from the source 0): must be "primary" or "replica"'],
    [{ role: 'primary' }, 'dataDir is not set: it is required'],
    [{ ...primary, listen: '7001' }, 'listen is "7001" (from the source 0): must be HOST:PORT'],
    [
      { ...primary, listen: '127.0.0.1:70000' },
      'listen is "127.0.0.1:70000" (from the source 0): the port must be 0 to 65535',
    ],
    [
      { ...primary, segmentBytesMax: 12 },
      'segmentBytesMax is 12 (from the source 0): must be at least 4194400',
    ],
    [
      { ...primary, flightRecorder: 'on' },
      'flightRecorder is "on" (from the source 0): must be "disabled" or "enabled"',
    ],
    [
      { ...primary, flightRecorderBytes: 1_048_575 },
      'flightRecorderBytes is 1048575 (from the source 0): must be at least 1048576',
    ],
    [
      { ...primary, clusterId: 'ABC' },
      'clusterId is "ABC" (from the source 0): must be a UUID in lower case',
    ],
    [
      { ...primary, primaryUrl: 'http://127.0.0.1:1' },
      'primaryUrl is "http://127.0.0.1:1" (from the source 0): a primary has no primary: leave it out, or use the role "replica"',
    ],
    [{ role: 'replica', dataDir: 'd' }, 'primaryUrl is not set: a replica requires the URL of its primary'],
    [
      { role: 'replica', dataDir: 'd', primaryUrl: 'ftp://x' },
      'primaryUrl is "ftp://x" (from the source 0): must be an http:// or https:// URL',
    ],
    [
      { ...primary, listen: '0.0.0.0:7001' },
      'token is not set: an address beyond loopback requires a token for every plane',
    ],
    [
      { ...primary, tlsCertFile: 'c' },
      'tlsKeyFile is not set: a certificate file and a key file go together',
    ],
  ])('names field, value and rule: %j', (values, message) => {
    expect(messageOf(values)).toBe(`the configuration is not valid: ${message}`);
  });

  test('a secret is never shown', () => {
    expect(messageOf({ ...primary, token: '', listen: '127.0.0.1:1' })).toBe(
      'the configuration is not valid: token is set (from the source 0): must not be empty',
    );
  });

  test('later sources are stronger, and the environment has a name for every field', () => {
    const environment = configFromEnvironment({
      REPLICHART_DATA_DIR: 'from-environment',
      REPLICHART_SEGMENT_BYTES_MAX: '8388608',
      OTHER: 'x',
    });
    const config = resolveConfig([
      { name: 'file', values: { role: 'primary', dataDir: 'from-file', logLevel: 'warn' } },
      environment,
      { name: 'flags', values: { dataDir: 'from-flags' } },
    ]);
    expect(config).toMatchObject({ dataDir: 'from-flags', segmentBytesMax: 8388608, logLevel: 'warn' });
    expect(environmentName('tlsCertFile')).toBe('REPLICHART_TLS_CERT_FILE');
  });

  test('an unknown variable of ours is an error too', () => {
    const source = configFromEnvironment({ REPLICHART_DATADIR: 'x' });
    expect(() => resolveConfig([{ name: 'x', values: primary }, source])).toThrow(
      'REPLICHART_DATADIR is "x" (from the environment): there is no such field',
    );
  });

  test('every field is explained by its value and the strongest source that sets it, a secret only as set', () => {
    const explained = explainConfig([
      { name: 'command', values: { replication: 'enabled' } },
      { name: 'file f', values: { role: 'primary', dataDir: 'from-file', segmentBytesMax: 8388608 } },
      configFromEnvironment({ REPLICHART_TOKEN: 'one', REPLICHART_LOG_LEVEL: 'warn' }),
      { name: 'flags', values: { dataDir: 'from-flags', token: 'two' } },
    ]);
    expect(explained.map(({ field }) => field)).toEqual(CONFIG_FIELDS);
    expect(explained.filter(({ source }) => source !== 'default')).toEqual([
      { field: 'role', value: 'primary', source: 'file f' },
      { field: 'dataDir', value: 'from-flags', source: 'flags' },
      { field: 'replication', value: 'enabled', source: 'command' },
      { field: 'token', value: '(set)', source: 'flags' },
      { field: 'segmentBytesMax', value: 8388608, source: 'file f' },
      { field: 'logLevel', value: 'warn', source: 'environment' },
    ]);
    expect(explained).toContainEqual({ field: 'bootstrap', value: 'wal', source: 'default' });
    expect(explained).toContainEqual({ field: 'primaryToken', value: null, source: 'default' });
    expect(() => explainConfig([{ name: 'flags', values: { role: 'primary' } }])).toThrow(
      'dataDir is not set: it is required',
    );
  });

  const KEYS = { tlsCertFile: 'c', tlsKeyFile: 'k' };
  const replica = { role: 'replica', dataDir: 'd', primaryUrl: 'https://[::1]:7001/base' };
  const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

  const UUID = '00112233-4455-6677-8899-aabbccddeeff';

  test.each([
    replica,
    { ...primary, clusterId: UUID, nodeId: UUID },
    { ...primary, replication: 'enabled', dx: 'disabled', flightRecorder: 'enabled', ...KEYS },
    { ...replica, bootstrap: 'snapshot', replication: 'disabled', flightRecorder: 'disabled' },
    ...LEVELS.map((logLevel) => ({ ...primary, logLevel })),
    { ...primary, segmentBytesMax: 4_194_400, flightRecorderBytes: 1_048_576, connectionsMax: 8 },
    {
      ...primary,
      segmentBytesMax: 1_073_741_824,
      flightRecorderBytes: 17_179_869_184,
      connectionsMax: 65_536,
    },
    ...['localhost', '127.0.0.1', '127.255.10.1', '[::1]'].map((host) => ({
      ...primary,
      listen: `${host}:65535`,
    })),
    { ...primary, listen: '0.0.0.0:1', token: 'for all planes' },
    { ...primary, listen: '0.0.0.0:1', replicationToken: 'a', dataToken: 'b', dxToken: 'c' },
    { ...primary, listen: '0.0.0.0:1', token: 'for the others', dxToken: 'c' },
  ])('what is allowed is taken as it is: %j', (values) => {
    expect(resolve(values)).toMatchObject(values);
  });

  const TOKENS = 'an address beyond loopback requires a token for every plane';
  test.each([
    ['primaryUrl', replica, 'no url', 'must be an http:// or https:// URL'],
    ['flightRecorderBytes', primary, 17_179_869_185, 'must be at most 17179869184'],
    ['segmentBytesMax', primary, 1_073_741_825, 'must be at most 1073741824'],
    ['segmentBytesMax', primary, 5_000_000.5, 'must be a whole number'],
    ['segmentBytesMax', primary, 'many', 'expected number, received NaN'],
    ['connectionsMax', primary, 7, 'must be at least 8'],
    ['connectionsMax', primary, 65_537, 'must be at most 65536'],
    ['dataDir', primary, 7, 'expected string, received number'],
    ['logLevel', primary, 'loud', `must be one of ${LEVELS.join(', ')}`],
    ['replication', primary, 'on', 'must be "disabled" or "enabled"'],
    ['bootstrap', primary, 'tape', 'must be "wal" or "snapshot"'],
    ['dx', primary, 'on', 'must be "disabled" or "enabled"'],
    ['dxOrigins', primary, '*', ORIGIN],
    ['dxOrigins', primary, 'example.org', ORIGIN],
    ['dxOrigins', primary, 'ftp://example.org', ORIGIN],
    ['dxOrigins', primary, 'http://example.org/', ORIGIN],
    ['dxOrigins', primary, 'http://a,http://b/page', ORIGIN],
    ['dxOrigins', primary, ['http://a', 'null'], ORIGIN],
    ['dxOrigins', primary, 7, 'must be a list of origins'],
    ['listen', primary, 'a b:1', 'must be HOST:PORT'],
    ['listen', primary, 'x127.0.0.1:1 ', 'must be HOST:PORT'],
    ['clusterId', primary, `0${UUID}`, 'must be a UUID in lower case'],
    ['nodeId', primary, `${UUID}0`, 'must be a UUID in lower case'],
    ['nodeId', primary, UUID.toUpperCase(), 'must be a UUID in lower case'],
  ])('%s of %j is not %j', (field, values, value, rule) => {
    const shown = JSON.stringify(value);
    expect(messageOf({ ...values, [field]: value })).toBe(
      `the configuration is not valid: ${field} is ${shown} (from the source 0): ${rule}`,
    );
  });

  test('origins are a list, or one text with commas between them', () => {
    const origins = ['http://127.0.0.1:7001', 'https://watch.example.org'];
    for (const dxOrigins of [origins, origins.join(','), origins.join(', ')])
      expect(resolve({ ...primary, dxOrigins }).dxOrigins).toEqual(origins);
  });

  test.each(['127.0.0.1.example:1', 'my-localhost:1', '127.0.0:1', '127.a.b.c:1', '127.0.0.1000:1', '::1:1'])(
    'P5-I16: the host of %s is not loopback',
    (listen) => {
      expect(isLoopback(listen)).toBe(false);
    },
  );

  test.each([{}, { replicationToken: 'a', dataToken: 'b' }, { dxToken: 'c' }])(
    'every plane beyond loopback has a token: %j is not enough',
    (tokens) => {
      expect(messageOf({ ...primary, listen: '0.0.0.0:1', ...tokens })).toBe(
        `the configuration is not valid: token is not set: ${TOKENS}`,
      );
    },
  );

  test('every fault is named at once, also in the evidence', () => {
    const invalid = () => resolve({ role: 'leader', tlsKeyFile: '' });
    const faults = [
      { field: 'role', message: 'role is "leader" (from the source 0): must be "primary" or "replica"' },
      { field: 'dataDir', message: 'dataDir is not set: it is required' },
      { field: 'tlsKeyFile', message: 'tlsKeyFile is "" (from the source 0): must not be empty' },
    ];
    expect(invalid).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: `the configuration is not valid: ${faults.map(({ message }) => message).join('; ')}`,
        evidence: { fields: faults },
      }),
    );
  });

  test('what is left undefined is not set, and does not weaken what is', () => {
    const sources = [
      { name: 'file', values: primary },
      { name: 'flags', values: { dataDir: undefined, logFile: undefined } as never },
    ];
    const explained = explainConfig(sources);
    expect(explained).toContainEqual({ field: 'dataDir', value: 'd', source: 'file' });
    expect(explained).toContainEqual({ field: 'logFile', value: null, source: 'default' });
    expect(configFromEnvironment({ REPLICHART_ROLE: undefined })).toStrictEqual({
      name: 'environment',
      values: {},
    });
  });
});
