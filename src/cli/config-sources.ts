import { readFileSync } from 'node:fs';
import type { JsonObject } from '../core/bytes.ts';
import { configFromEnvironment, type ConfigSource } from '../core/config.ts';
import { ReplichartError } from '../core/errors.ts';
import type { Role } from '../core/identity.ts';
import type { NodeFlags } from './node-flags.ts';

/**
 * The sources of a node's configuration, weakest first. Files that hold tokens are read here.
 *
 * @throws ReplichartError `CONFIG_INVALID` where a file cannot be read, or the file of `--config` holds no JSON object.
 */
export function configSources(role: Role, flags: NodeFlags): readonly ConfigSource[] {
  const given: Record<string, string | undefined> = {
    dataDir: flags.data,
    listen: flags.listen,
    primaryUrl: flags.primary,
    replication: flags.replication,
    bootstrap: flags.bootstrap,
    clusterId: flags.clusterId,
    nodeId: flags.nodeId,
    token: flags.tokenFile === undefined ? undefined : readText('tokenFile', flags.tokenFile).trim(),
    tlsCertFile: flags.tlsCert,
    tlsKeyFile: flags.tlsKey,
    segmentBytesMax: flags.segmentBytesMax,
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
