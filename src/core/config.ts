import * as z from 'zod';
import { isUuid, type Json, type JsonObject } from './bytes.ts';
import { ReplichartError } from './errors.ts';
import { FLIGHT_BYTES_MIN, FRAME_BYTES_MAX, SEGMENT_HEADER_BYTES } from './limits.ts';

const uuid = z.string().refine(isUuid, 'must be a UUID in lower case');
const httpUrl = z.string().refine((text) => {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}, 'must be an http:// or https:// URL');
const listen = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):\d{1,5}$/, 'must be HOST:PORT')
  .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'the port must be 0 to 65535');
const origin = z.string().refine((text) => {
  return httpUrl.safeParse(text).success && new URL(text).origin === text;
}, 'each must be an origin: http:// or https://, a host, perhaps a port, and nothing behind');
const listed = z.string().transform((all) => all.split(',').map((one) => one.trim()));
const origins = z.union([z.array(z.string()), listed], 'must be a list of origins').pipe(z.array(origin));
const text = z.string().min(1, 'must not be empty');
const wholeNumber = z.coerce.number().int('must be a whole number');

const SEGMENT_BYTES_MIN = FRAME_BYTES_MAX + SEGMENT_HEADER_BYTES;

/** Every field there is. A file uses these names; the environment uses REPLICHART_ and upper case with underscores. */
const fields = z.strictObject({
  role: z.enum(['primary', 'replica'], 'must be "primary" or "replica"'),
  /** Absolute or relative path of the node's data directory. */
  dataDir: text,
  /** HOST:PORT to serve HTTP on; left out, the node serves nothing. */
  listen: listen.optional(),
  /** Replication is off unless it is asked for. */
  replication: z.enum(['disabled', 'enabled'], 'must be "disabled" or "enabled"').default('disabled'),
  primaryUrl: httpUrl.optional(),
  /** How an empty replica begins: from the first byte of the WAL, or from the primary's newest snapshot. */
  bootstrap: z.enum(['wal', 'snapshot'], 'must be "wal" or "snapshot"').default('wal'),
  clusterId: uuid.optional(),
  nodeId: uuid.optional(),
  /** Bearer token that callers of this node must send, on every plane that has none of its own. */
  token: text.optional(),
  /** Tokens of single planes: replicas, readers and writers of data, and those who watch. */
  replicationToken: text.optional(),
  dataToken: text.optional(),
  dxToken: text.optional(),
  /** Bearer token that this node sends to its primary; left out, the node's own. */
  primaryToken: text.optional(),
  /** The read-only interface for people and tools: the page, /v1, /metrics, /openapi.json. */
  dx: z.enum(['disabled', 'enabled'], 'must be "disabled" or "enabled"').default('enabled'),
  /** Origins whose pages may read the DX plane from a browser; a list, or one text with commas between them. */
  dxOrigins: origins.default([]),
  /** Connections that are served at a time; above that idle ones are closed, then new ones refused. */
  connectionsMax: wholeNumber
    .min(8, 'must be at least 8')
    .max(65_536, 'must be at most 65536')
    .default(1_024),
  /** Certificate authority, PEM, that vouches for the primary. */
  primaryCaFile: text.optional(),
  /** Certificate and key files: the node serves HTTPS. */
  tlsCertFile: text.optional(),
  tlsKeyFile: text.optional(),
  /** A segment is sealed by the first frame that takes it to this size or beyond; bytes. */
  segmentBytesMax: wholeNumber
    .min(SEGMENT_BYTES_MIN, `must be at least ${SEGMENT_BYTES_MIN}`)
    .max(0x4000_0000, 'must be at most 1073741824')
    .default(64 * 1024 * 1024),
  /** Keeps a journal of every event and what the chart made of it, for `replichart replay`. */
  flightRecorder: z.enum(['disabled', 'enabled'], 'must be "disabled" or "enabled"').default('disabled'),
  /** What the files of the flight recorder take at most; the oldest give way. Bytes. */
  flightRecorderBytes: wholeNumber
    .min(FLIGHT_BYTES_MIN, `must be at least ${FLIGHT_BYTES_MIN}`)
    .max(0x4_0000_0000, 'must be at most 17179869184')
    .default(64 * 1024 * 1024),
  logLevel: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be one of trace, debug, info, warn, error, fatal, silent',
    )
    .default('info'),
  /** A file to append the log to; left out, standard error. */
  logFile: text.optional(),
});

type Fields = z.infer<typeof fields>;

/** A rule between fields, blamed on one of them. */
interface CrossRule {
  readonly field: keyof Fields;
  readonly broken: (config: Fields) => boolean;
  readonly rule: string;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export function isLoopback(listenAddress: string): boolean {
  return LOOPBACK.test(listenAddress.slice(0, listenAddress.lastIndexOf(':')));
}

/** Who may ask a node for what; each plane may have a token of its own. */
export const PLANES = ['replication', 'data', 'dx'] as const;

/** The token that callers of a plane must send; `undefined`: none. */
export function tokenOf(
  config: Pick<Fields, 'token' | 'replicationToken' | 'dataToken' | 'dxToken'>,
  plane: (typeof PLANES)[number],
): string | undefined {
  return config[`${plane}Token`] ?? config.token;
}

const crossRules: readonly CrossRule[] = [
  {
    field: 'primaryUrl',
    broken: ({ role, primaryUrl }) => role === 'primary' && primaryUrl !== undefined,
    rule: 'a primary has no primary: leave it out, or use the role "replica"',
  },
  {
    field: 'primaryUrl',
    broken: ({ role, primaryUrl }) => role === 'replica' && primaryUrl === undefined,
    rule: 'a replica requires the URL of its primary',
  },
  {
    field: 'token',
    broken: (config) =>
      config.listen !== undefined &&
      !isLoopback(config.listen) &&
      PLANES.some((plane) => tokenOf(config, plane) === undefined),
    rule: 'an address beyond loopback requires a token for every plane',
  },
  {
    field: 'tlsKeyFile',
    broken: ({ tlsCertFile, tlsKeyFile }) => (tlsCertFile === undefined) !== (tlsKeyFile === undefined),
    rule: 'a certificate file and a key file go together',
  },
];

/** A configuration that was checked whole. */
export type NodeConfig = Readonly<Fields>;
export type NodeConfigInput = z.input<typeof fields>;
export const CONFIG_FIELDS = Object.keys(fields.shape) as (keyof Fields)[];

/** Where a value came from, for messages. */
export interface ConfigSource {
  readonly name: string;
  readonly values: JsonObject;
}

/** REPLICHART_DATA_DIR for `dataDir`. */
export function environmentName(field: string): string {
  return `REPLICHART_${field.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The fields that the environment sets; another variable that begins with REPLICHART_ is an unknown field. */
export function configFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): ConfigSource {
  const known = new Map(CONFIG_FIELDS.map((field) => [environmentName(field), field]));
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment))
    if (name.startsWith('REPLICHART_') && value !== undefined) values[known.get(name) ?? name] = value;
  return { name: 'environment', values };
}

/** The fields whose values are never shown. */
export const SECRETS = ['token', 'replicationToken', 'dataToken', 'dxToken', 'primaryToken'] as const;
export type SecretField = (typeof SECRETS)[number];

function isSecret(field: string): boolean {
  return (SECRETS as readonly string[]).includes(field);
}

/**
 * Joins sources, the later ones stronger, and checks the whole.
 *
 * @throws ReplichartError `CONFIG_INVALID`; its message names field, value, source and rule of each fault.
 */
export function resolveConfig(sources: readonly ConfigSource[]): NodeConfig {
  const { joined, origin } = join(sources);
  const blame = (field: string, rule: string) => {
    const value = joined[field];
    const shown =
      value === undefined ? 'is not set' : isSecret(field) ? 'is set' : `is ${JSON.stringify(value)}`;
    const from = origin.has(field) ? ` (from the ${origin.get(field)})` : '';
    return `${field} ${shown}${from}: ${rule}`;
  };
  const parsed = fields.safeParse(joined);
  const faults = parsed.success
    ? crossRules
        .filter(({ broken }) => broken(parsed.data))
        .map(({ field, rule }) => ({ field: field, message: blame(field, rule) }))
    : parsed.error.issues.flatMap((issue) =>
        issue.code === 'unrecognized_keys'
          ? issue.keys.map((key) => ({ field: key, message: blame(key, 'there is no such field') }))
          : [{ field: String(issue.path[0]), message: blame(String(issue.path[0]), ruleOf(issue)) }],
      );
  if (faults.length > 0 || !parsed.success)
    throw new ReplichartError(
      'CONFIG_INVALID',
      `the configuration is not valid: ${faults.map(({ message }) => message).join('; ')}`,
      { evidence: { fields: faults } },
    );
  return parsed.data;
}

/** A field of a configuration, for people: its effective value and where that came from. */
export interface ExplainedField {
  readonly field: keyof Fields;
  /** `null` where nothing is set; `(set)` in place of a secret. */
  readonly value: Json;
  /** The name of the strongest source that sets the field, or `default`. */
  readonly source: string;
}

/**
 * Every field there is, in the order of the schema, as `resolveConfig` resolves the same sources.
 *
 * @throws ReplichartError `CONFIG_INVALID` as `resolveConfig` does.
 */
export function explainConfig(sources: readonly ConfigSource[]): readonly ExplainedField[] {
  const config = resolveConfig(sources);
  const { origin } = join(sources);
  return CONFIG_FIELDS.map((field) => {
    const value = config[field];
    return {
      field,
      value: value === undefined ? null : isSecret(field) ? '(set)' : value,
      source: origin.get(field) ?? 'default',
    };
  });
}

/** The values of all sources, the later ones stronger, and the name of the source that each came from. */
function join(sources: readonly ConfigSource[]) {
  const origin = new Map<string, string>();
  const joined: Record<string, unknown> = {};
  for (const { name, values } of sources) {
    for (const [field, value] of Object.entries(values)) {
      if (value === undefined) continue;
      joined[field] = value;
      origin.set(field, name);
    }
  }
  return { joined, origin };
}

function ruleOf(issue: z.core.$ZodIssue): string {
  return issue.message.endsWith(', received undefined')
    ? 'it is required'
    : issue.message.replace('Invalid input: ', '');
}
