import type { Json, JsonObject } from './bytes.ts';
import type { InvariantId } from './invariants.ts';

/** What a process says with its exit code (DESIGN 8). */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  configuration: 3,
  notReady: 4,
  corruption: 5,
  tornTail: 6,
  outOfRetention: 7,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each exit code says, in the words of the help and the documents. */
export const EXIT_MEANINGS: Readonly<Record<ExitCode, string>> = {
  [EXIT.ok]: 'ok',
  [EXIT.failure]: 'failure',
  [EXIT.usage]: 'usage',
  [EXIT.configuration]: 'configuration',
  [EXIT.notReady]: 'not ready, or reads blocked',
  [EXIT.corruption]: 'divergence or corruption',
  [EXIT.tornTail]: 'torn tail',
  [EXIT.outOfRetention]: 'history out of retention',
};

interface ErrorEntry {
  readonly invariant: InvariantId | null;
  /** HTTP status of the refusal. */
  readonly status: number;
  readonly exit: ExitCode;
  readonly meaning: string;
  readonly action: string;
}

/** Every expected error there is: its invariant, what it means and what an operator does about it. */
export const ERRORS = {
  CONFIG_INVALID: {
    invariant: null,
    status: 400,
    exit: EXIT.configuration,
    meaning: 'A configuration field has a value that its rule does not allow.',
    action: 'Correct the named field; nothing was started or written.',
  },
  IDENTITY_DAMAGED: {
    invariant: 'P5-I11',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'The identity file cannot be read: its magic, size, checksum or a field is wrong.',
    action:
      'Restore the file named "identity" from a backup of this very node, or start a new node in an empty directory.',
  },
  IDENTITY_MISSING: {
    invariant: 'P5-I11',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'The data directory holds data but no identity file, so nobody can say whose data it is.',
    action:
      'Restore the file named "identity" from a backup of this very node, or start a new node in an empty directory.',
  },
  FORMAT_UNSUPPORTED: {
    invariant: 'P5-I1',
    status: 503,
    exit: EXIT.configuration,
    meaning: 'The data directory was written in a format version that this program does not know.',
    action: 'Start the program version that wrote the directory; this one left it untouched.',
  },
  ROLE_CHANGED: {
    invariant: 'P5-I1',
    status: 503,
    exit: EXIT.configuration,
    meaning: 'The data directory belongs to a node of the other role; a role never changes.',
    action:
      'Start the node with the role that its directory has, or use an empty directory for the new role.',
  },
  CLUSTER_CHANGED: {
    invariant: 'P5-I1',
    status: 503,
    exit: EXIT.configuration,
    meaning: 'The data directory belongs to another cluster.',
    action: 'Point the node at the cluster its directory belongs to, or use an empty directory.',
  },
  NODE_CHANGED: {
    invariant: 'P5-I1',
    status: 503,
    exit: EXIT.configuration,
    meaning: 'The data directory belongs to another node.',
    action: 'Use the directory of the configured node id, or leave the node id out of the configuration.',
  },
  DATA_DIRECTORY_IN_USE: {
    invariant: 'P5-I13',
    status: 503,
    exit: EXIT.failure,
    meaning: 'Another process has this data directory open.',
    action: 'Stop the other process first; two writers on one directory would break history.',
  },
  WRITE_REFUSED: {
    invariant: 'P5-I6',
    status: 403,
    exit: EXIT.failure,
    meaning: 'Only the primary makes commits; this node is a replica.',
    action: 'Send the commit to the primary.',
  },
  COMMIT_INVALID: {
    invariant: null,
    status: 400,
    exit: EXIT.failure,
    meaning: 'A commit breaks a rule of the format; nothing of it was written.',
    action: 'Correct the operation that the message names.',
  },
  COMMIT_TOO_LARGE: {
    invariant: null,
    status: 400,
    exit: EXIT.failure,
    meaning: 'One commit must fit in one frame of 4 MiB.',
    action: 'Split the commit, or make its documents smaller; nothing of it was written.',
  },
  NOT_WRITABLE: {
    invariant: 'P5-I10',
    status: 503,
    exit: EXIT.notReady,
    meaning: 'The primary accepts no writes: it is not started, stopping, or halted.',
    action: 'See the status of the node for the state and its cause.',
  },
  STORAGE_FAILED: {
    invariant: 'P5-I10',
    status: 503,
    exit: EXIT.failure,
    meaning: 'A file operation failed. After a failed fsync nothing is known of what the disk holds.',
    action:
      'Repair the disk or free space, clear the halt, then start again: recovery reads what is durable.',
  },
  WAL_CORRUPT: {
    invariant: 'P5-I11',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'WAL does not verify: a checksum, a size, a structure or its place in the chain is wrong.',
    action:
      'Keep the evidence. On a replica whose own files verify, find what altered the stream, clear the halt and attach again; otherwise bootstrap again in an empty directory. On a primary, restore from a backup.',
  },
  WAL_DISORDERED: {
    invariant: 'P5-I4',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'WAL has a gap, an overlap, a duplicate or a reordering.',
    action:
      'Keep the evidence. Find what altered the stream; clear the halt and attach again, or bootstrap again in an empty directory.',
  },
  HISTORY_DIVERGED: {
    invariant: 'P5-I4',
    status: 409,
    exit: EXIT.corruption,
    meaning: 'Two histories part: a hash is not the one that the history before it gives.',
    action:
      'Find out which history is the true one. A diverged replica is never healed: keep its directory as evidence and bootstrap again in an empty one.',
  },
  CLUSTER_FOREIGN: {
    invariant: 'P5-I4',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'WAL or a snapshot comes from another cluster.',
    action: 'Point the node at the primary of its own cluster, then clear the halt.',
  },
  SNAPSHOT_CORRUPT: {
    invariant: 'P5-I8',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'A snapshot is not what its manifest says: a hash, a checksum, an order or a count is wrong.',
    action: 'Verify or make the snapshot anew on the primary, clear the halt, and bootstrap again.',
  },
  SNAPSHOT_DISCONTINUOUS: {
    invariant: 'P5-I9',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'The WAL does not resume exactly at the cut of the snapshot.',
    action: 'Make a new snapshot on the primary, clear the halt, and bootstrap again.',
  },
  SNAPSHOT_UNKNOWN: {
    invariant: null,
    status: 404,
    exit: EXIT.failure,
    meaning: 'There is no such snapshot.',
    action: 'List the snapshots of the primary, or make one.',
  },
  POSITION_INVALID: {
    invariant: 'P5-I4',
    status: 400,
    exit: EXIT.corruption,
    meaning: 'A position is no frame boundary of this history.',
    action: 'Ask from a position that the node itself has given.',
  },
  WAL_PRUNED: {
    invariant: 'P5-I9',
    status: 410,
    exit: EXIT.outOfRetention,
    meaning: 'The WAL asked for is no longer kept.',
    action:
      'A replica begins again from a snapshot, in an empty directory (--bootstrap snapshot); its old directory can still be read.',
  },
  REPLICATION_DISABLED: {
    invariant: 'P5-I16',
    status: 503,
    exit: EXIT.failure,
    meaning: 'Replication is switched off on this node.',
    action: 'Start the primary with replication enabled.',
  },
  PRIMARY_UNREACHABLE: {
    invariant: 'P5-I10',
    status: 503,
    exit: EXIT.failure,
    meaning: 'The primary cannot be reached, so the replica cannot learn whose history to follow.',
    action: 'Check the URL of the primary and that it runs; nothing was written.',
  },
  CHECKPOINT_DAMAGED: {
    invariant: 'P5-I11',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'The checkpoint of the index cannot be trusted: it is damaged, or contradicts the WAL.',
    action:
      'Keep the directory as evidence. On a replica, bootstrap again in an empty directory; on a primary, restore from a backup.',
  },
  INDEX_DAMAGED: {
    invariant: 'P5-I11',
    status: 500,
    exit: EXIT.corruption,
    meaning:
      'An index entry, the version it points at, or a file of the index store does not carry the checksum it was written with.',
    action:
      'Keep the directory as evidence. On a replica, bootstrap again in an empty directory; on a primary, restore from a backup.',
  },
  HALT_RECORD_DAMAGED: {
    invariant: 'P5-I11',
    status: 503,
    exit: EXIT.corruption,
    meaning: 'A halt record exists but cannot be read; the cause of the halt is unknown.',
    action: 'Inspect the evidence, then clear the halt: a damaged record counts as a halt.',
  },
  READS_BLOCKED: {
    invariant: 'P5-I12',
    status: 503,
    exit: EXIT.notReady,
    meaning: 'The node cannot prove that a read would be answered as the primary answers it.',
    action: 'See the reasons in the evidence; read from the primary meanwhile.',
  },
  VIEW_ABOVE_APPLIED: {
    invariant: 'P5-I12',
    status: 503,
    exit: EXIT.notReady,
    meaning: 'The view asked for is newer than what this node has applied.',
    action: 'Ask for a lower view, ask again later, or read from the primary; nothing waits for it.',
  },
  REQUEST_INVALID: {
    invariant: null,
    status: 400,
    exit: EXIT.usage,
    meaning: 'The request breaks a rule of the interface.',
    action: 'Correct the parameter or body that the message names.',
  },
  IMPORT_INVALID: {
    invariant: null,
    status: 400,
    exit: EXIT.failure,
    meaning: 'The input of an import cannot be read, or a row of it cannot be imported.',
    action:
      'Correct the row that the message names and import again; what was committed stays, and a row that is imported twice replaces itself.',
  },
  UNAUTHORIZED: {
    invariant: null,
    status: 401,
    exit: EXIT.failure,
    meaning: 'The bearer token is missing or wrong.',
    action: 'Send the token that the node was configured with.',
  },
  NOT_FOUND: {
    invariant: null,
    status: 404,
    exit: EXIT.failure,
    meaning: 'There is nothing at this address.',
    action: 'See the interface description for the addresses there are.',
  },
  LISTEN_FAILED: {
    invariant: null,
    status: 503,
    exit: EXIT.failure,
    meaning: 'The node cannot listen on the configured address.',
    action: 'Choose a free port and an address of this machine.',
  },
  INTERNAL: {
    invariant: null,
    status: 500,
    exit: EXIT.failure,
    meaning: 'Something happened that the program does not expect: a bug.',
    action: 'Keep the log and report it.',
  },
  NODE_UNREACHABLE: {
    invariant: null,
    status: 503,
    exit: EXIT.failure,
    meaning: 'A node cannot be reached at its address.',
    action: 'Check the address, and that the node runs.',
  },
  NODE_STARTING: {
    invariant: null,
    status: 503,
    exit: EXIT.notReady,
    meaning: 'The node is still starting and has nothing to say yet.',
    action: 'Ask again when it has started.',
  },
  START_FAILED: {
    invariant: 'P5-I10',
    status: 503,
    exit: EXIT.failure,
    meaning: 'The node could not be started.',
    action: 'See the cause; the data directory was left as it was.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  /** The invariant of the check that did not hold, where it is not the one of the code. */
  readonly invariant?: InvariantId | null;
  readonly evidence?: JsonObject;
  readonly cause?: unknown;
}

/** An expected failure: it has a code from the table, and the evidence for it. */
export class ReplichartError extends Error {
  override readonly name = 'ReplichartError';
  readonly code: ErrorCode;
  readonly invariant: InvariantId | null;
  readonly evidence: JsonObject;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.invariant = details.invariant ?? ERRORS[code].invariant;
    this.evidence = details.evidence ?? {};
  }

  get action(): string {
    return ERRORS[this.code].action;
  }
}

/** A bug of ours: a state that the design excludes. Never caught to go on. */
export class InvariantBug extends Error {
  override readonly name = 'InvariantBug';
}

export function assertThat(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new InvariantBug(`assertion failed: ${claim}`);
}

/** What can be said of any thrown value in facts and logs: name, message and the codes a system call leaves. */
export function describeError(error: unknown): JsonObject {
  if (!(error instanceof Error)) return { message: String(error) };
  const facts: Record<string, Json> = { name: error.name, message: error.message };
  for (const key of ['code', 'syscall', 'path'] as const) {
    const value: unknown = (error as NodeJS.ErrnoException)[key];
    if (typeof value === 'string') facts[key] = value;
  }
  if (error instanceof ReplichartError) facts['evidence'] = error.evidence;
  return facts;
}

/** An error in one line, with the code that a system call left. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined || error.message.includes(code) ? error.message : `${code}: ${error.message}`;
}
