import { describe, expect, test } from 'vitest';
import {
  CONFIG_FIELDS,
  configFromEnvironment,
  environmentName,
  explainConfig,
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

describe('configuration', () => {
  test('P5-I16: replication is disabled unless it is asked for', () => {
    expect(resolve(primary)).toEqual({
      role: 'primary',
      dataDir: 'd',
      replication: 'disabled',
      dx: 'enabled',
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
});
