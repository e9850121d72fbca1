import { Command } from 'commander';
import type { JsonObject } from '../../core/bytes.ts';
import { EXIT, ReplichartError, type ExitCode } from '../../core/errors.ts';
import { ask, type ClientFlags } from '../client.ts';
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
that each node holds up to there; each node reads all of it. A node that has applied less lags: that
is no difference. Exit code 5 says that the two have diverged, 4 that one of them refuses to be read.

Example:
  replichart diff http://127.0.0.1:7001 http://127.0.0.1:7002`,
    )
    .action(async (left: string, right: string, flags: ClientFlags) => {
      const sides = await Promise.all([sideOf(left, flags), sideOf(right, flags)]);
      const [one, other] = sides;
      const at = Math.min(one.position.commit_id, other.position.commit_id);
      const [digest, otherDigest] = await Promise.all(sides.map(({ url }) => digestOf(url, at, flags)));
      const digestsEqual = digest?.['sha256'] === otherDigest?.['sha256'];
      const parted = samePlace(one, other) && one.position.history_hash !== other.position.history_hash;
      const equal = digestsEqual && !parted;
      const nodes = sides.map(({ url, role, position }, index) => ({
        url,
        role,
        position,
        state_digest: (index === 0 ? digest : otherDigest) ?? null,
      }));
      const result = {
        equal,
        compared_at_commit_id: at,
        nodes,
        positions_equal: samePlace(one, other) && !parted,
        digests_equal: digestsEqual,
      };
      const output = outputOf(flags);
      const { nodes: _nodes, ...summary } = result;
      output.result(result, [summary, ...nodes].map(fieldsText).join('\n\n'));
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
  const status = await dataOf(url, 'v1/status', flags);
  const { position } = await dataOf(url, 'v1/mvcc', flags);
  if (position === null || position === undefined)
    throw new ReplichartError(
      'READS_BLOCKED',
      `${url}: the node has applied nothing that could be compared`,
      {
        evidence: { url, machine_state: status['machine_state'] ?? null, failure: status['failure'] ?? null },
      },
    );
  return {
    url,
    role: status['role'] as string,
    clusterId: status['cluster_id'] as string | null,
    position: position as unknown as PositionJson,
  };
}

async function digestOf(url: string, at: number, flags: ClientFlags): Promise<JsonObject> {
  const { state_digest: digest } = await dataOf(url, `v1/mvcc?digest_at=${at}`, flags);
  return digest as JsonObject;
}

/** Asks one of the two; a refusal says whose it is. */
async function dataOf(url: string, path: string, flags: ClientFlags): Promise<JsonObject> {
  try {
    return ((await ask(url, path, flags, { long: true })) as { readonly data: JsonObject }).data;
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    throw new ReplichartError(error.code, `${url}: ${error.message}`, {
      invariant: error.invariant,
      evidence: { ...error.evidence, url },
      cause: error,
    });
  }
}
