import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../core/bytes.ts';
import {
  answerOf,
  dataOf,
  explained,
  mvcc,
  refusal,
  type DigestJson,
  type FailureJson,
  type PositionJson,
  type SnapshotJson,
} from './http.ts';
import { fieldsOf } from './fields.ts';
import type { DemoNode } from './processes.ts';
import { proofOf, type Proof } from './proofs.ts';
import { compareWal, differencesFrom, walOnDisk, type Target } from './wal-bytes.ts';
import { countDocuments } from './workload.ts';
import { directoryOf } from '../cli/directory.ts';
import { verifyExplanation } from '../verify/verify.ts';
import { DemoFailure } from './failure.ts';

/** The nodes whose equality is proved. */
export interface Trio {
  readonly primary: DemoNode;
  readonly a: DemoNode;
  readonly b: DemoNode;
}

const COLLECTION_PATH = 'data/v1/cities';

export async function digestOf(node: DemoNode, at: number): Promise<DigestJson> {
  return (await dataOf(mvcc, node.url, `v1/mvcc?digest_at=${at}`)).data.state_digest;
}

/** What the workload must leave behind. */
export interface Expected {
  /** Documents that can be read. */
  readonly documents: number;
  /** Ids that were ever written, deleted ones included. */
  readonly keys: number;
  /** Versions of all of them, deletions included. */
  readonly versions: number;
}

/** All three hold the same state, and it is as large as the workload must leave it. */
export async function proveStates(
  { primary, a, b }: Trio,
  at: number,
  { documents, keys, versions }: Expected,
): Promise<readonly Proof[]> {
  // One after the other: each is a read of everything.
  const digest = await digestOf(primary, at);
  const [ofA, ofB] = [await digestOf(a, at), await digestOf(b, at)];
  const counted = await countDocuments(b.url);
  return [
    proofOf({
      id: 'state_digests',
      claim: 'Primary, A and B hold the same state',
      expected: { primary: digest, a: digest, b: digest },
      found: { primary: digest, a: ofA, b: ofB },
      shown: `SHA-256 ${short(digest.sha256)} at commit ${at}`,
      divergence: true,
    }),
    proofOf({
      id: 'documents',
      claim: 'Nothing is lost: every row, every update and every deletion is there',
      expected: { documents_on_b: documents, keys, versions },
      found: { documents_on_b: counted, keys: digest.keys, versions: digest.versions },
      shown: `${counted} documents read on B; ${digest.versions} versions of ${digest.keys} ids`,
      divergence: true,
    }),
  ];
}

/** The snapshot's own digest is what all three answer for its cut, A from the WAL alone. */
export async function proveSnapshot({ primary, a, b }: Trio, snapshot: SnapshotJson): Promise<Proof> {
  const at = snapshot.cut.commit_id;
  const { state_digest: expected } = snapshot;
  return proofOf({
    id: 'snapshot_digest',
    claim: 'The snapshot is the state of its cut, on all three',
    expected: { primary: expected, a: expected, b: expected },
    found: {
      primary: (await digestOf(primary, at)).sha256,
      a: (await digestOf(a, at)).sha256,
      b: (await digestOf(b, at)).sha256,
    },
    shown: `SHA-256 ${short(expected)} at commit ${at}`,
    divergence: true,
  });
}

/** On disk: A is the primary's WAL from the first byte on, B from the snapshot's cut on, both to its end. */
export async function proveBytes({ primary, a, b }: Trio, snapshot: SnapshotJson): Promise<readonly Proof[]> {
  const wal = await walOnDisk(primary.directory);
  const proof = async (node: DemoNode, id: string, claim: string, fromLsn: number) => {
    const found = await compareWal(await walOnDisk(node.directory), wal);
    const files = wal.segments.filter(({ startLsn }) => startLsn >= fromLsn).length;
    return proofOf({
      id,
      claim,
      expected: {
        from_lsn: fromLsn,
        to_lsn: wal.endLsn,
        files,
        bytes_compared: wal.endLsn - fromLsn,
        first_difference_lsn: null,
      },
      found: { ...found },
      shown: `${found.bytes_compared} bytes in ${found.files} files, LSN ${found.from_lsn} to ${found.to_lsn}`,
      divergence: true,
    });
  };
  // The segment after the cut begins where the one that the snapshot sealed ends.
  const resume = wal.segments.find(({ startLsn }) => startLsn >= snapshot.cut.lsn);
  if (resume === undefined)
    throw new DemoFailure(`the primary has no segment from the cut ${snapshot.cut.lsn} on`);
  return [
    await proof(a, 'wal_of_a', 'A’s WAL files are the primary’s, byte for byte', 0),
    await proof(b, 'wal_of_b', 'B’s are too, from the snapshot’s cut on', resume.startLsn),
  ];
}

/** A read of a view that is proven gives the primary's answer; a view beyond what is applied is refused and explained. */
export async function proveReads(
  { primary, a }: Trio,
  position: PositionJson,
  id: string,
): Promise<{ readonly proofs: readonly Proof[]; readonly refused: object }> {
  const token = `${position.commit_id}:${position.lsn}:${position.history_hash}`;
  const path = `${COLLECTION_PATH}/${id}?position=${token}`;
  const [expected, found] = [await answerOf(primary.url, path), await answerOf(a.url, path)];
  const name = (found.body as { document?: { name?: string } } | null)?.document?.name;
  const beyond = position.commit_id + 1;
  const answer = await answerOf(a.url, `${COLLECTION_PATH}/${id}?at=${beyond}`);
  const refused = parsed(answer.body);
  return {
    proofs: [
      proofOf({
        id: 'read',
        claim: 'A read on A at the primary’s position is the primary’s answer',
        expected: { status: 200, body: JSON.stringify(expected.body) },
        found: { status: found.status, body: JSON.stringify(found.body) },
        shown: `${id}: ${name ?? 'no name'}`,
        divergence: true,
      }),
      proofOf({
        id: 'refused_read',
        claim: 'A refuses a view beyond what it has applied, and says why',
        expected: {
          status: 503,
          code: 'VIEW_ABOVE_APPLIED',
          rule: 'P5-I12 viewIsApplied',
          evidence: { view_commit_id: beyond, applied_commit_id: position.commit_id },
        },
        found: { status: answer.status, code: refused.code, rule: refused.rule, evidence: refused.evidence },
        shown: `${answer.status} ${refused.code}: ${refused.rule} ${fieldsOf(refused.evidence)}`,
      }),
    ],
    refused: { status: answer.status, ...refused },
  };
}

/** The proof that a read carries is derived again from the primary's files alone, and an altered answer is found out. */
export async function proveReadProof({ primary, a }: Trio, id: string): Promise<Proof> {
  const { body } = await answerOf(a.url, `${COLLECTION_PATH}/${id}?proof=1`);
  const answer = body as { readonly document: JsonObject };
  const altered = { ...answer, document: { ...answer.document, name: 'Atlantis' } };
  const source = { kind: 'files of the primary', ...(await directoryOf(primary.directory)) } as const;
  const honest = await verifyExplanation(answer, source);
  const forged = await verifyExplanation(altered, source);
  return proofOf({
    id: 'read_proof',
    claim: 'A’s answer carries its proof: the primary’s WAL confirms it, and an altered answer is found out',
    expected: { answer: 'verified', altered: 'differs', at: ['answer.document.name'] },
    found: {
      answer: honest.verdict,
      altered: forged.verdict,
      at: forged.differences.map(({ path }) => path),
    },
    shown: `${id} on A: ${honest.verdict} against ${honest.source.proved_to.lsn} bytes of WAL; altered: ${forged.verdict}`,
    divergence: true,
  });
}

/** C met an altered byte: it halted at the very frame, kept the bytes, changed nothing else and refuses reads. */
export async function proveHalt(
  { primary }: Trio,
  c: DemoNode,
  failure: FailureJson,
  target: Target,
): Promise<{ readonly proofs: readonly Proof[]; readonly halt: object }> {
  const { code, rule, evidence } = failure;
  const files = await readdir(join(c.directory, 'evidence'));
  const file = files[0] ?? null;
  const kept = file === null ? Buffer.alloc(0) : await readFile(join(c.directory, 'evidence', file));
  const differences = await differencesFrom(await walOnDisk(primary.directory), target.frameLsn, kept);
  const { data: explanation } = await dataOf(explained, c.url, 'v1/explain/replication');
  const answer = await answerOf(c.url, `${COLLECTION_PATH}/000000001`);
  const refused = parsed(answer.body);
  const { body: stated } = await answerOf(c.url, 'v1/explain/replication');
  const verified = await verifyExplanation(stated, {
    kind: 'own files',
    ...(await directoryOf(c.directory)),
  });
  return {
    proofs: [
      proofOf({
        id: 'halt',
        claim: 'C, fed one altered bit by a relay, halts at its frame',
        expected: { code: 'WAL_CORRUPT', rule: 'P5-I5 checksumMatches', lsn: target.frameLsn },
        found: { code, rule, lsn: evidence['lsn'] ?? null },
        shown: `${code}: ${rule ?? ''} ${fieldsOf(evidence)}`,
      }),
      proofOf({
        id: 'evidence',
        claim: 'C keeps the frame as evidence: one byte is not the primary’s',
        expected: {
          files: 1,
          file: evidence['bytes_kept_in'] ?? null,
          bytes: target.frameBytes,
          different_lsns: [target.lsn],
        },
        found: {
          files: files.length,
          file: file === null ? null : `evidence/${file}`,
          bytes: kept.length,
          different_lsns: differences,
        },
        shown: `evidence/${file ?? ''}: ${kept.length} bytes, different at LSN ${differences.join(', ')}`,
      }),
      proofOf({
        id: 'halted_read',
        claim: 'C, halted, refuses every read and names the rule',
        expected: { status: 503, code: 'READS_BLOCKED', conclusion: 'unsafe' },
        found: { status: answer.status, code: refused.code, conclusion: explanation.conclusion.result },
        shown: `${answer.status} ${refused.code}: ${refused.rule}`,
      }),
      proofOf({
        id: 'halt_explained',
        claim: 'C’s explanation is derived again from C’s own files, without C, and nothing differs',
        expected: { differs: false, differences: [] },
        found: {
          differs: verified.verdict === 'differs',
          differences: verified.differences.map((one) => ({ ...one })),
        },
        shown: `${verified.verdict}; proved to LSN ${verified.source.proved_to.lsn}, where the WAL stops`,
      }),
    ],
    halt: {
      failure,
      evidence_file: file === null ? null : `evidence/${file}`,
      explanation,
      refused_read: { status: answer.status, ...refused },
    },
  };
}

function parsed(body: unknown) {
  const found = refusal.safeParse(body);
  if (!found.success) throw new DemoFailure(`a read is not refused as it should be: ${JSON.stringify(body)}`);
  const { code, invariant, message, evidence } = found.data.error;
  const { rule, explanation, ...rest } = evidence;
  return { code, invariant, message, rule, evidence: rest as Record<string, number>, explanation };
}

function short(hash: string): string {
  return `${hash.slice(0, 16)}…`;
}
