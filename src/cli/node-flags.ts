import type { Command } from 'commander';
import type { Role } from '../core/identity.ts';

/** The flags of a node command, as they were typed. */
export interface NodeFlags {
  readonly data?: string;
  readonly listen?: string;
  readonly primary?: string;
  readonly replication?: string;
  readonly clusterId?: string;
  readonly nodeId?: string;
  readonly tokenFile?: string;
  readonly replicationTokenFile?: string;
  readonly dataTokenFile?: string;
  readonly dxTokenFile?: string;
  readonly primaryTokenFile?: string;
  readonly primaryCa?: string;
  readonly dx?: string;
  readonly dxOrigin?: readonly string[];
  readonly connectionsMax?: string;
  readonly bootstrap?: string;
  readonly reattach?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly segmentBytesMax?: string;
  readonly flightRecorder?: string;
  readonly flightRecorderBytes?: string;
  readonly logLevel?: string;
  readonly logFile?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Adds the flags of a node of this role: one list for the command that runs it and the one that checks it. */
export function withNodeFlags(command: Command, role: Role): Command {
  command
    .option('--data <dir>', 'data directory of the node')
    .option('--listen <host:port>', 'serve HTTP here; port 0 takes a free one')
    .option('--replication <enabled|disabled>', 'take part in replication (default of this command: enabled)')
    .option('--cluster-id <uuid>', 'the cluster this node must belong to')
    .option('--node-id <uuid>', 'the id this node must have')
    .option('--token-file <file>', 'a file with the bearer token that callers must send')
    .option('--replication-token-file <file>', 'the same for replicas only: /replication/v1')
    .option('--data-token-file <file>', 'the same for readers and writers only: /data/v1')
    .option(
      '--dx-token-file <file>',
      'the same for those who watch only: /v1, /metrics, /openapi.json, /readyz',
    )
    .option('--dx <enabled|disabled>', 'serve the page, /v1, /metrics and /openapi.json (default: enabled)')
    .option(
      '--dx-origin <origin>',
      'pages from here, such as the page of another node, may read /v1 in a browser; can be given again',
      (one: string, before: readonly string[] = []) => [...before, one],
    )
    .option('--connections-max <count>', 'connections that are served at a time (default: 1024)')
    .option('--tls-cert <file>', 'certificate; serves HTTPS')
    .option('--tls-key <file>', 'key of the certificate')
    .option('--segment-bytes-max <bytes>', 'size at which a WAL segment is sealed')
    .option(
      '--flight-recorder <enabled|disabled>',
      'keep a journal of every event and what the chart made of it (default: disabled)',
    )
    .option('--flight-recorder-bytes <bytes>', 'what its files take at most (default: 67108864)')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
    .option('--log-file <file>', 'append the log to a file instead of standard error')
    .option('--config <file>', 'JSON file with configuration fields; environment and flags are stronger')
    .option('--json', 'print results as JSON');
  if (role === 'primary') return command;
  return command
    .option('--primary <url>', 'URL of the primary')
    .option(
      '--primary-token-file <file>',
      'a file with the bearer token for the primary (default: the own one)',
    )
    .option('--primary-ca <file>', 'certificate authority that vouches for the primary')
    .option('--bootstrap <wal|snapshot>', 'how an empty replica begins (default: wal)')
    .option(
      '--reattach <schedule>',
      'attach again after a loss: waits such as 1s,5s,30s, the last one repeated (default: never)',
    );
}
