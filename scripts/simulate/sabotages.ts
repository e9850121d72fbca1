/** Systems that are wrong in one place each: what the simulation must find. */
import type { Check } from '../../src/core/checks/check.ts';
import * as bootstrap from '../../src/core/checks/bootstrap.ts';
import * as recovery from '../../src/core/checks/recovery.ts';
import * as ingress from '../../src/core/checks/ingress.ts';
import * as wal from '../../src/core/checks/wal.ts';
import * as reads from '../../src/core/read-safety.ts';
import type { FileHandle, FileSystem } from '../../src/io/file-system.ts';
import { copiesOf, type VersionIndexStore } from '../../src/io/version-index.ts';
import type { Sabotage } from './host.ts';

export interface SabotagedSystem {
  readonly sabotage: Sabotage;
  /** Checks that hold whatever the facts are, in the chart, in the effects and in the gate alike. */
  readonly blind: readonly Check<never>[];
}

type Role = 'primary' | 'replica';

/** Files whose handles are others where the path says so. */
function handles(
  files: FileSystem,
  isMeant: (path: string) => boolean,
  change: (handle: FileHandle) => Partial<FileHandle>,
): FileSystem {
  return {
    ...files,
    open: async (path, mode) => {
      const handle = await files.open(path, mode);
      return isMeant(path) ? { ...handle, ...change(handle) } : handle;
    },
  };
}

const isWal = (path: string) => path.endsWith('.wal');
const only = (role: Role, change: (files: FileSystem) => FileSystem): Sabotage => ({
  files: (files, of) => (of === role ? change(files) : files),
});
const noSync = () => ({ datasync: () => Promise.resolve() });

/** Bytes that are written only when the next ones are: what was written last is not there. */
function writesLate(handle: FileHandle): Partial<FileHandle> {
  let held: readonly Uint8Array[] | null = null;
  const flush = async () => {
    if (held !== null) await handle.append(held);
    held = null;
  };
  return {
    append: async (parts) => {
      await flush();
      held = [...parts];
    },
    datasync: async () => undefined,
  };
}

/** An index that forgets an entry of every batch of several. */
function forgetsEntries(store: VersionIndexStore): VersionIndexStore {
  return {
    ...store,
    open: async () => {
      const index = await store.open();
      return {
        ...index,
        get: (key) => index.get(key),
        write: (entries, options) => {
          const batch = copiesOf(entries);
          return index.write(batch.length > 2 ? batch.slice(1) : batch, options);
        },
      };
    },
  };
}

function notDurable(store: VersionIndexStore): VersionIndexStore {
  return {
    ...store,
    open: async () => {
      const index = await store.open();
      return { ...index, write: (entries) => index.write(entries, { durable: false }) };
    },
  };
}

function notSynced(store: VersionIndexStore): VersionIndexStore {
  return {
    ...store,
    open: async () => ({ ...(await store.open()), sync: () => Promise.resolve() }),
  };
}

const blindTo = (...blind: readonly Check<never>[]): SabotagedSystem => ({ sabotage: {}, blind });

const wrong = (sabotage: Sabotage): SabotagedSystem => ({ sabotage, blind: [] });

/**
 * Blind alone, `P5-I4 historyIsContinuous`, `P5-I4 unitIsInOrder` and `P5-I6 commitIdsAreDense` change nothing that is
 * seen: each stands behind the other two, and behind the question at which a stream is resumed. So do the checks of a snapshot.
 * Those of an identity, of a foreign cluster and of effects that answer wrongly find nothing here that they could refuse: the
 * model of the machine and the tests of each check break what they guard.
 */
export const SABOTAGES = {
  'the primary does not sync its WAL': wrong(only('primary', (files) => handles(files, isWal, noSync))),
  'a replica does not sync its WAL': wrong(only('replica', (files) => handles(files, isWal, noSync))),
  'the primary acknowledges before its WAL is synced': wrong(
    only('primary', (files) =>
      handles(files, isWal, (handle) => ({
        datasync: async () => void handle.datasync().catch(() => undefined),
      })),
    ),
  ),
  'a replica answers that it has persisted before it has written': wrong(
    only('replica', (files) => handles(files, isWal, writesLate)),
  ),
  'the primary does not sync names': wrong(
    only('primary', (files) => ({ ...files, syncDirectory: () => Promise.resolve() })),
  ),
  'a replica does not sync names': wrong(
    only('replica', (files) => ({ ...files, syncDirectory: () => Promise.resolve() })),
  ),
  'an index write is not durable': wrong({ index: notDurable }),
  'the index is not synced before history goes': wrong({ index: notSynced }),
  'the index of a replica forgets an entry': wrong({
    index: (store, role) => (role === 'replica' ? forgetsEntries(store) : store),
  }),
  'P5-I5 checksumMatches always holds': blindTo(wal.checksumMatches),
  'P5-I4 historyIsContinuous, P5-I4 unitIsInOrder and P5-I6 commitIdsAreDense always hold': blindTo(
    wal.historyIsContinuous,
    wal.unitIsInOrder,
    wal.commitIdsAreDense,
  ),
  'P5-I4 historyIsThePrimarys always holds': blindTo(ingress.historyIsThePrimarys),
  'P5-I10 noHaltIsRecorded always holds': blindTo(recovery.noHaltIsRecorded),
  'P5-I12 viewIsApplied always holds': blindTo(reads.viewIsApplied),
  'P5-I8 blocksAreIntact and P5-I8 baseIsWhole always hold': blindTo(
    bootstrap.blocksAreIntact,
    bootstrap.baseIsWhole,
  ),
  'every rule of the read gate always holds': blindTo(...reads.GATE_CHECKS),
} as const satisfies Record<string, SabotagedSystem>;

/** Runs with checks that are blind, and gives them back their eyes. */
export async function sabotaged<Result>(
  { blind }: SabotagedSystem,
  work: () => Promise<Result>,
): Promise<Result> {
  const claims = blind.map((check) => check.claim);
  const set = (check: Check<never>, claim: Check<never>['claim']) => Object.assign(check, { claim });
  for (const check of blind) set(check, () => true);
  try {
    return await work();
  } finally {
    for (const [index, check] of blind.entries()) set(check, claims[index] as Check<never>['claim']);
  }
}
