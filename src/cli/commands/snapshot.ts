import { Command } from 'commander';
import { EXIT, ReplichartError, type ExitCode } from '../../core/errors.ts';
import { manifestJson } from '../../core/storage/manifest.ts';
import { SnapshotStore } from '../../io/snapshot-store.ts';
import { verifySnapshot, type SnapshotVerdict } from '../../io/snapshot-verify.ts';
import { deleteSnapshot, postSnapshot } from '../../http/contract/data.ts';
import { listSnapshots } from '../../http/contract/replication.ts';
import { ask, type ClientFlags } from '../client.ts';
import { directoryOf } from '../directory.ts';
import { fieldsText, outputOf } from '../output.ts';
import { progressLine } from '../progress.ts';
import { isOnTerminal, tableText } from '../table.ts';

type ListedSnapshot = ReturnType<typeof manifestJson>;
type VerdictJson = ReturnType<typeof verdictJson>;
type SetExit = (code: ExitCode) => void;

interface PrimaryFlags extends ClientFlags {
  readonly primary: string;
}

interface VerifyFlags {
  readonly data: string;
  readonly json?: boolean;
}

/** `replichart snapshot create|list|remove|verify` */
export function snapshotCommand(setExit: SetExit): Command {
  const command = new Command('snapshot').description(
    'make, list, remove or verify the snapshots of a primary',
  );
  command.addCommand(
    primaryCommand('create', 'make a snapshot of all that a running primary has committed').action(create),
  );
  command.addCommand(
    primaryCommand('list', 'the snapshots that a running primary offers to replicas').action(list),
  );
  command.addCommand(
    primaryCommand(
      'remove',
      'remove a snapshot, so that replichart prune may go on to the next one',
      'replichart snapshot remove 12',
    )
      .argument('<id>', 'id of the snapshot')
      .action(remove),
  );
  command
    .command('verify')
    .description(
      'read snapshots byte by byte and compare them with their manifests; works while the node runs',
    )
    .argument('[id]', 'id of one snapshot; left out, all of them')
    .requiredOption('--data <dir>', 'data directory of the primary')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExit code 5 says that something is not as it was written; nothing is changed.\n\nExample:\n  replichart snapshot verify --data ./primary',
    )
    .action((id: string | undefined, flags: VerifyFlags) => verify(id, flags, setExit));
  return command;
}

function primaryCommand(name: string, description: string, example = `replichart snapshot ${name}`): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--primary <url>', 'URL of the primary')
    .option('--token-file <file>', 'a file with the bearer token of the primary')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', `\nExample:\n  ${example} --primary http://127.0.0.1:7001`);
}

async function create(flags: PrimaryFlags): Promise<void> {
  const made = await ask(flags.primary, postSnapshot, flags, { long: true });
  outputOf(flags).result(made, fieldsText(made));
}

async function remove(id: string, flags: PrimaryFlags): Promise<void> {
  const removed = await ask(flags.primary, deleteSnapshot, flags, { params: { id }, long: true });
  outputOf(flags).result(removed, `snapshot ${removed.snapshot_id} is removed`);
}

async function list(flags: PrimaryFlags): Promise<void> {
  const answer = await ask(flags.primary, listSnapshots, flags);
  const { snapshots } = answer.data;
  outputOf(flags).result(
    answer.data,
    snapshots.length === 0 ? 'there are no snapshots' : listText(snapshots),
  );
}

/** On a terminal what tells snapshots apart, one line each; elsewhere all there is to know of each. */
function listText(snapshots: readonly ListedSnapshot[]): string {
  if (!isOnTerminal()) return snapshots.map((snapshot) => fieldsText({ ...snapshot })).join('\n\n');
  return tableText({
    head: ['snapshot', 'commit', 'LSN', 'versions', 'documents', 'bytes', 'state digest'],
    rows: snapshots.map(({ snapshot_id: id, cut, versions, keys, bytes, state_digest: digest }) => [
      ...[id, cut.commit_id, cut.lsn, versions, keys, bytes, digest],
    ]),
  });
}

async function verify(id: string | undefined, flags: VerifyFlags, setExit: SetExit): Promise<void> {
  const { directory, identity } = await directoryOf(flags.data);
  if (identity.role !== 'primary')
    throw new ReplichartError(
      'REQUEST_INVALID',
      `${flags.data} belongs to a replica: only a primary has snapshots`,
    );
  const store = new SnapshotStore(directory);
  const progress = progressLine();
  const verdicts: SnapshotVerdict[] = [];
  let bytes = 0;
  try {
    for (const snapshotId of id === undefined ? await store.list() : [id])
      try {
        const verdict = await verifySnapshot(
          directory.files,
          store,
          snapshotId,
          identity.clusterId,
          (read) => {
            bytes += read;
            progress.show(`snapshot ${snapshotId}: ${bytes} bytes read`);
          },
        );
        verdicts.push(verdict);
      } catch (error) {
        // Of all there are, one that the primary removes meanwhile is none any more.
        const isGone = error instanceof ReplichartError && error.code === 'SNAPSHOT_UNKNOWN';
        if (id !== undefined || !isGone) throw error;
      }
  } finally {
    progress.clear();
  }
  const snapshots = verdicts.map(verdictJson);
  const intact = snapshots.every((snapshot) => snapshot.intact);
  outputOf(flags).result(
    { intact, snapshots },
    snapshots.length === 0 ? 'there are no snapshots' : verdictsText(snapshots),
  );
  setExit(intact ? EXIT.ok : EXIT.corruption);
}

function verdictJson({ snapshotId, manifest, faults }: SnapshotVerdict) {
  return {
    snapshot_id: snapshotId,
    intact: faults.length === 0,
    manifest: manifest && manifestJson(manifest),
    faults: faults.map(({ file, rule, offset, expected, found }) => ({
      file,
      rule,
      offset,
      expected,
      found,
    })),
  };
}

/** On a terminal a table of the verdicts and one of the faults; elsewhere a sentence a snapshot, its faults below it. */
function verdictsText(snapshots: readonly VerdictJson[]): string {
  if (!isOnTerminal()) return snapshots.map(verdictText).join('\n');
  const verdicts = tableText({
    head: ['snapshot', 'verdict', 'versions', 'documents', 'bytes', 'state digest'],
    rows: snapshots.map(({ snapshot_id: id, intact, manifest }) => [
      id,
      intact ? 'intact' : 'damaged',
      ...(manifest === null
        ? [null, null, null, null]
        : [manifest.versions, manifest.keys, manifest.bytes, manifest.state_digest]),
    ]),
  });
  const faults = snapshots.flatMap(({ snapshot_id: id, faults: found }) =>
    found.map(({ file, rule, offset, expected, found: there }) => [
      ...[id, file, rule, offset],
      JSON.stringify(expected),
      JSON.stringify(there),
    ]),
  );
  if (faults.length === 0) return verdicts;
  const head = ['snapshot', 'file', 'rule', 'offset', 'expected', 'found'];
  return `${verdicts}\n${tableText({ head, rows: faults })}`;
}

function verdictText({ snapshot_id: id, intact, manifest, faults }: VerdictJson): string {
  if (intact && manifest !== null)
    return `snapshot ${id} is intact: ${manifest.versions} versions of ${manifest.keys} documents, ${manifest.bytes} bytes, state digest ${manifest.state_digest}`;
  return [`snapshot ${id} is damaged`, ...faults.map((fault) => indented(fieldsText(fault)))].join('\n');
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ');
}
