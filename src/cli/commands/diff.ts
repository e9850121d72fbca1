import { Command } from 'commander';
import { EXIT, ReplichartError, type ExitCode } from '../../core/errors.ts';
import { getMvcc, getStatus, getVersions, PAGE_MAX } from '../../http/contract/dx.ts';
import type { AnswerOf, Endpoint } from '../../http/contract/endpoint.ts';
import { ask, type Asking, type ClientFlags } from '../client.ts';
import { fieldsText, outputOf } from '../output.ts';

interface PositionJson {
  readonly commit_id: number;
  readonly lsn: number;
  readonly history_hash: string;
}

interface Side {
  readonly url: string;
  readonly role: string;
  readonly clusterId: string | null;
  readonly position: PositionJson;
}

/** `replichart diff`: whether two nodes hold the same state, as far as both have applied it. */
export function diffCommand(setExit: (code: ExitCode) => void): Command {
  return new Command('diff')
    .description('compare two nodes: their positions, and their states as far as both have applied')
    .argument('<url>', 'URL of one node')
    .argument('<other-url>', 'URL of the other node')
    .option('--token-file <file>', 'a file with the bearer token of both nodes')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
The states are compared at the smaller of the two applied commit ids, by a digest over every version
that each node holds up to there; each node reads all of it. Where the digests differ, both are read
version by version, and the first one that is not the same on both is shown. A node that has applied less lags: that
is no difference. Exit code 5 says that the two have diverged, 4 that one of them refuses to be read.

Example:
  replichart diff http://127.0.0.1:7001 http://127.0.0.1:7002`,
    )
    .action(async (left: string, right: string, flags: ClientFlags) => {
      const sides = await Promise.all([sideOf(left, flags), sideOf(right, flags)]);
      const [one, other] = sides;
      const at = Math.min(one.position.commit_id, other.position.commit_id);
      const [digest, otherDigest] = await Promise.all(sides.map(({ url }) => digestOf(url, at, flags)));
      const digestsEqual = digest?.sha256 === otherDigest?.sha256;
      const parted = samePlace(one, other) && one.position.history_hash !== other.position.history_hash;
      const equal = digestsEqual && !parted;
      const nodes = sides.map(({ url, role, position }, index) => ({
        url,
        role,
        position,
        state_digest: (index === 0 ? digest : otherDigest) ?? null,
      }));
      const difference = digestsEqual ? null : await firstDifference(one.url, other.url, at, flags);
      const result = {
        equal,
        compared_at_commit_id: at,
        nodes,
        positions_equal: samePlace(one, other) && !parted,
        digests_equal: digestsEqual,
        first_difference: difference,
      };
      const output = outputOf(flags);
      const { nodes: _nodes, first_difference: _difference, ...summary } = result;
      const shown = [summary, ...nodes, ...(difference === null ? [] : [{ first_difference: difference }])];
      output.result(result, shown.map(fieldsText).join('\n\n'));
      for (const note of notesOn(one, other)) output.note(note);
      if (!digestsEqual) output.note(`the states differ at commit ${at}: the nodes have diverged`);
      if (parted)
        output.note('the history hashes differ at the same commit and LSN: the nodes have diverged');
      setExit(equal ? EXIT.ok : EXIT.corruption);
    });
}

function samePlace(one: Side, other: Side): boolean {
  return one.position.commit_id === other.position.commit_id && one.position.lsn === other.position.lsn;
}

function notesOn(one: Side, other: Side): string[] {
  const notes: string[] = [];
  if (one.clusterId !== other.clusterId)
    notes.push(
      `the nodes are of different clusters: ${one.clusterId ?? 'none'} and ${other.clusterId ?? 'none'}`,
    );
  const [behind, ahead] = one.position.lsn <= other.position.lsn ? [one, other] : [other, one];
  const commits = ahead.position.commit_id - behind.position.commit_id;
  const bytes = ahead.position.lsn - behind.position.lsn;
  if (bytes > 0)
    notes.push(`${behind.url} lags ${commits} commits (${bytes} bytes of WAL) behind ${ahead.url}`);
  return notes;
}

async function sideOf(url: string, flags: ClientFlags): Promise<Side> {
  const status = (await askOf(url, getStatus, flags)).data;
  const { position } = (await askOf(url, getMvcc, flags)).data;
  if (position === null)
    throw new ReplichartError(
      'READS_BLOCKED',
      `${url}: the node has applied nothing that could be compared`,
      {
        evidence: {
          url,
          machine_state: status.machine_state,
          failure: status.failure,
        },
      },
    );
  return {
    url,
    role: status.role,
    clusterId: status.cluster_id,
    position,
  };
}

async function digestOf(url: string, at: number, flags: ClientFlags) {
  return (await askOf(url, getMvcc, flags, { query: { digest_at: at }, long: true })).data.state_digest;
}

/** Asks one of the two; a refusal says whose it is. */
async function askOf<const Of extends Endpoint>(
  url: string,
  endpoint: Of,
  flags: ClientFlags,
  asking: Asking<Of> = {},
): Promise<AnswerOf<Of>> {
  try {
    return await ask(url, endpoint, flags, asking);
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    throw new ReplichartError(error.code, `${url}: ${error.message}`, {
      invariant: error.invariant,
      evidence: { ...error.evidence, url },
      cause: error,
    });
  }
}

type Version = AnswerOf<typeof getVersions>['data']['versions'][number];

/** The first version, in key order, that one node has and the other has not, or has otherwise. */
async function firstDifference(url: string, otherUrl: string, at: number, flags: ClientFlags) {
  const sides = [versionsOf(url, at, flags), versionsOf(otherUrl, at, flags)] as const;
  try {
    for (;;) {
      const [left, right] = await Promise.all([sides[0].next(), sides[1].next()]);
      const one = left.done === true ? null : left.value;
      const other = right.done === true ? null : right.value;
      if (one === null && other === null) return null;
      if (JSON.stringify(one) !== JSON.stringify(other)) return differenceOf(one, other);
    }
  } finally {
    await Promise.all(sides.map((side) => side.return(undefined)));
  }
}

/** Where the keys differ, the lesser one is what the other node has not. */
function differenceOf(one: Version | null, other: Version | null) {
  const order = one === null ? 1 : other === null ? -1 : compareKeys(one, other);
  const first = order <= 0 ? one : other;
  const { op: _op, document_bytes: _bytes, crc32c: _crc, ...key } = first as Version;
  return { key, versions: [order <= 0 ? one : null, order >= 0 ? other : null] };
}

/** By collection, id, and then the newest commit first, as versions are listed. */
function compareKeys(one: Version, other: Version): number {
  const bytes = (text: string | undefined, base64: string | undefined) =>
    text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text);
  return (
    Buffer.compare(
      bytes(one.collection, one.collection_base64),
      bytes(other.collection, other.collection_base64),
    ) ||
    Buffer.compare(bytes(one.id, one.id_base64), bytes(other.id, other.id_base64)) ||
    other.commit_id - one.commit_id
  );
}

async function* versionsOf(url: string, at: number, flags: ClientFlags): AsyncGenerator<Version> {
  let after: string | undefined;
  do {
    const { data } = await askOf(url, getVersions, flags, { query: { at, after, limit: PAGE_MAX } });
    yield* data.versions;
    after = data.next_after ?? undefined;
  } while (after !== undefined);
}
