import { readFileSync } from 'node:fs';
import type { JsonObject } from '../core/bytes.ts';
import { configFromEnvironment, type ConfigSource, type SecretField } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';
import type { Role } from '../core/identity.ts';
import type { NodeFlags } from './node-flags.ts';

/**
 * The sources of a node's configuration, weakest first. Files that hold tokens are read here.
 *
 * @throws ReplichartError `CONFIG_INVALID` where a file cannot be read, or the file of `--config` holds no JSON object.
 */
export function configSources(role: Role, flags: NodeFlags): readonly ConfigSource[] {
  const given: Record<string, string | readonly string[] | undefined> = {
    dataDir: flags.data,
    listen: flags.listen,
    primaryUrl: flags.primary,
    replication: flags.replication,
    bootstrap: flags.bootstrap,
    clusterId: flags.clusterId,
    nodeId: flags.nodeId,
    ...tokensOf(flags),
    dx: flags.dx,
    dxOrigins: flags.dxOrigin,
    connectionsMax: flags.connectionsMax,
    primaryCaFile: flags.primaryCa,
    tlsCertFile: flags.tlsCert,
    tlsKeyFile: flags.tlsKey,
    segmentBytesMax: flags.segmentBytesMax,
    flightRecorder: flags.flightRecorder,
    flightRecorderBytes: flags.flightRecorderBytes,
    logLevel: flags.logLevel,
    logFile: flags.logFile,
  };
  return [
    // Whoever starts a node by hand has asked for replication; every other source may still say no.
    { name: 'command', values: { replication: 'enabled' } },
    ...(flags.config === undefined ? [] : [configFile(flags.config)]),
    configFromEnvironment(process.env),
    { name: 'flags', values: given as JsonObject },
    // The role is the name of the command: nothing is stronger.
    { name: 'command', values: { role } },
  ];
}

/** The flags that name a file with a token, and the field that each sets. */
const TOKEN_FILES = {
  tokenFile: 'token',
  replicationTokenFile: 'replicationToken',
  dataTokenFile: 'dataToken',
  dxTokenFile: 'dxToken',
  primaryTokenFile: 'primaryToken',
} as const satisfies Partial<Record<keyof NodeFlags, SecretField>>;

/** The flags that name a file with a token, of those that were given, in the order of the fields. */
export function tokenFilesOf(
  flags: NodeFlags,
): readonly { readonly flag: keyof typeof TOKEN_FILES; readonly path: string }[] {
  return (Object.keys(TOKEN_FILES) as (keyof typeof TOKEN_FILES)[]).flatMap((flag) => {
    const path = flags[flag];
    return path === undefined ? [] : [{ flag, path }];
  });
}

function tokensOf(flags: NodeFlags): Record<string, string> {
  return Object.fromEntries(
    tokenFilesOf(flags).map(({ flag, path }) => [TOKEN_FILES[flag], readText(flag, path).trim()]),
  );
}

function configFile(path: string): ConfigSource {
  try {
    const values: unknown = JSON.parse(readText('config', path));
    if (typeof values === 'object' && values !== null && !Array.isArray(values))
      return { name: `file ${path}`, values: values as JsonObject };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ReplichartError('CONFIG_INVALID', `config is ${path}: it is no JSON: ${error.message}`);
  }
  throw new ReplichartError('CONFIG_INVALID', `config is ${path}: it must hold one JSON object`);
}

function readText(field: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ReplichartError('CONFIG_INVALID', `${field} is ${path}: ${String(error)}`, { cause: error });
  }
}
