import { fromPromise } from 'xstate';
import type { NodeInput } from '../../machines/context.ts';
import { encodeHaltRecord, type HaltReason } from '../core/halt.ts';
import { newIdentity, UNBOUND_CLUSTER, type Identity, type IdentityFound } from '../core/identity.ts';
import type { DataDirectory } from '../io/data-directory.ts';
import { replaceFile } from '../io/durable-file.ts';
import type { Fence } from '../io/fence.ts';
import type { FileSystem } from '../io/file-system.ts';
import { keepEvidence, readHalt } from '../io/halt-file.ts';

export interface RoleActorPorts {
  /** Fenced: everything but the halt record goes through it. */
  readonly directory: DataDirectory;
  /** Not fenced: a halt is recorded after the fence was closed. */
  readonly files: FileSystem;
  readonly fence: Fence;
  readonly newUuid: () => string;
  /** The bytes that caused a halt, if there are any. */
  readonly suspectBytes: () => Buffer | null;
  /** Lets go of what comes from outside: a halted node listens to nobody. */
  readonly disconnect: () => void;
  /** Closes files and index. */
  readonly release: () => Promise<void>;
}

/** The effects of every node, whichever its role. */
export function roleActorsOf({
  directory,
  files,
  fence,
  newUuid,
  suspectBytes,
  disconnect,
  release,
}: RoleActorPorts) {
  // Whatever becomes of the connection: nobody goes on before the writes under way have ended.
  const quiet = async (cause: string) => {
    fence.close(cause);
    try {
      disconnect();
    } finally {
      await fence.drained();
    }
  };
  const releaseAll = async () => {
    try {
      await quiet('the node stopped');
    } finally {
      await release();
    }
  };
  const actors = {
    readIdentity: fromPromise<IdentityFound, null>(() => directory.readIdentity()),
    claimIdentity: fromPromise<Identity, NodeInput>(async ({ input }) => {
      // A primary founds its cluster; a replica that knows of none stays unbound until it meets a primary.
      const clusterId = input.clusterId ?? (input.role === 'primary' ? newUuid() : UNBOUND_CLUSTER);
      const identity = newIdentity(input.role, clusterId, input.nodeId ?? newUuid());
      const found = await directory.readIdentity();
      await (found.state === 'present' ? directory.bind(identity) : directory.claim(identity));
      return identity;
    }),
    readHaltRecord: fromPromise<HaltReason | null, null>(() => readHalt(directory)),
    keepEvidence: fromPromise<string | null, HaltReason>(async ({ input }) => {
      const bytes = suspectBytes();
      return bytes === null ? null : keepEvidence(directory, files, input.code, bytes);
    }),
    writeHaltRecord: fromPromise<null, HaltReason>(async ({ input }) => {
      await replaceFile(files, directory.haltFile, encodeHaltRecord(input));
      return null;
    }),
    drain: fromPromise<null, null>(async () => {
      await quiet('the node halted');
      return null;
    }),
    release: fromPromise<null, null>(async () => {
      await releaseAll();
      return null;
    }),
  };
  return { actors, release: releaseAll };
}
