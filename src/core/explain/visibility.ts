import { createHash } from 'node:crypto';
import * as z from 'zod';
import { keyJson, hex, hex32, sha256, writeU64, type JsonObject } from '../bytes.ts';
import { verdictOf, type Verdict } from '../checks/check.ts';
import {
  rangeIsInOrder,
  VISIBILITY_CHECKS,
  type RangeFacts,
  type VersionFacts,
  type VisibilityFacts,
} from '../checks/visibility.ts';
import { gateVerdicts, type ReadFacts } from '../read-safety.ts';
import type { StoredVersion } from '../storage/version.ts';
import { operationCrcOf } from '../wal/operation.ts';
import { explanationOf, type Explanation } from './explanation.ts';
import { gateConclusion, gateInputs, readFactsOf } from './replication.ts';

/** How many versions of a document an explanation shows; older ones can change nothing. */
export const CHAIN_MAX = 100;

/** A document by name. */
export interface DocumentName {
  readonly collection: Buffer;
  readonly id: Buffer;
}

export interface ReadOfDocument extends DocumentName {
  readonly gate: ReadFacts;
  readonly chain: VisibilityFacts['chain'];
  readonly fault: JsonObject | null;
  /** SHA-256 of the document that was read; `null`: none was. */
  readonly documentSha256: string | null;
}

/** Which version of a document a view sees, and why. */
export function explainDocument(read: ReadOfDocument): Explanation {
  const { gate, chain, fault } = read;
  const visibility = { viewCommitId: gate.view.commitId, chain, fault };
  const gateSays = gateVerdicts(gate);
  const verdicts = [...gateSays, ...VISIBILITY_CHECKS.map((check) => verdictOf(check, visibility))];
  return explanationOf(
    'mvcc.read_visibility',
    gate.applied?.commitId ?? null,
    { ...gateInputs(gate), read: { kind: 'document', ...nameJson(read) } },
    verdicts,
    documentConclusion(gateSays, verdicts, read),
  );
}

type Conclusion = Parameters<typeof explanationOf>[4];

function documentConclusion(
  gateSays: readonly Verdict[],
  verdicts: readonly Verdict[],
  { chain, documentSha256 }: ReadOfDocument,
): Conclusion {
  const newest = chain?.versions[0];
  const seen = { version_commit_id: newest?.commitId ?? null, document_sha256: documentSha256 };
  const refused = gateConclusion(gateSays);
  if (refused.result !== 'safe') return { result: 'refused', reason: refused.reason, ...seen };
  const against = verdicts.find(({ evaluation }) => evaluation !== 'holds');
  if (against !== undefined) return { result: 'undetermined', reason: against.rule, ...seen };
  return {
    result: newest === undefined ? 'absent' : newest.op === 'delete' ? 'deleted' : 'visible',
    reason: null,
    ...seen,
  };
}

export interface ReadOfRange {
  readonly gate: ReadFacts;
  readonly collection: Buffer;
  readonly after: Buffer | null;
  readonly last: Buffer | null;
  readonly range: Omit<RangeFacts, 'viewCommitId'>;
}

/** What a range read gave, and that it is what the view sees between its two ends. */
export function explainRange({ gate, collection, after, last, range }: ReadOfRange): Explanation {
  const gateSays = gateVerdicts(gate);
  const verdict = verdictOf(rangeIsInOrder, { viewCommitId: gate.view.commitId, ...range });
  const refused = gateConclusion(gateSays);
  return explanationOf(
    'mvcc.read_visibility',
    gate.applied?.commitId ?? null,
    {
      ...gateInputs(gate),
      read: {
        kind: 'range',
        ...keyJson('collection', collection),
        ...(after === null ? { after: null } : keyJson('after', after)),
        ...(last === null ? { last: null } : keyJson('last', last)),
      },
    },
    [...gateSays, verdict],
    refused.result !== 'safe'
      ? { result: 'refused', reason: refused.reason }
      : verdict.evaluation !== 'holds'
        ? { result: 'undetermined', reason: verdict.rule }
        : { result: 'visible', reason: null, documents: range.documents },
  );
}

/** Collects what is said of a range while its documents pass by. */
export class RangeDigest {
  readonly #hash = createHash('sha256');
  #documents = 0;
  #ascending = true;
  #newest: number | null = null;
  #last: Buffer | null = null;

  add({ commitId, id, record }: Pick<StoredVersion, 'commitId' | 'id' | 'record'>): void {
    const prefix = Buffer.alloc(8);
    writeU64(prefix, commitId, 0);
    this.#hash.update(prefix).update(record);
    if (this.#last !== null && Buffer.compare(this.#last, id) >= 0) this.#ascending = false;
    this.#last = id;
    this.#newest = Math.max(this.#newest ?? 0, commitId);
    this.#documents += 1;
  }

  get last(): Buffer | null {
    return this.#last;
  }

  facts(more: boolean): ReadOfRange['range'] {
    return {
      documents: this.#documents,
      ascending: this.#ascending,
      newestCommitId: this.#newest,
      entriesSha256: this.#hash.copy().digest('hex'),
      more,
    };
  }
}

/** A version as explanations show it. */
export function versionFacts(version: StoredVersion, place: VersionFacts['place']): VersionFacts {
  const { commitId, document, record } = version;
  return {
    commitId,
    op: document === null ? 'delete' : 'put',
    place,
    documentBytes: document?.length ?? 0,
    crc32c: hex32(operationCrcOf(record)),
  };
}

export function documentSha256(document: Buffer | null): string | null {
  return document === null ? null : hex(sha256(document));
}

function nameJson({ collection, id }: DocumentName): JsonObject {
  return { ...keyJson('collection', collection), ...keyJson('id', id) };
}

const named = (name: string) => ({
  [name]: z.string().nullable().optional(),
  [`${name}_base64`]: z.string().optional(),
});
const readInput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('document'), ...named('collection'), ...named('id') }),
  z.strictObject({ kind: z.literal('range'), ...named('collection'), ...named('after'), ...named('last') }),
]);

/** What was read, as an explanation says. */
export type ReadRequest =
  | { readonly kind: 'document'; readonly gate: ReadFacts; readonly collection: Buffer; readonly id: Buffer }
  | ({ readonly kind: 'range' } & Omit<ReadOfRange, 'range'>);

/** The read that an explanation is of. @throws ZodError where its inputs are no read. */
export function readRequestOf(inputs: Explanation['inputs']): ReadRequest {
  const read = readInput.parse(inputs['read']) as Record<string, string | null | undefined>;
  const gate = readFactsOf(inputs);
  const bytes = (name: string) => {
    const text = read[name];
    const base64 = read[`${name}_base64`];
    if (typeof text === 'string') return Buffer.from(text);
    return typeof base64 === 'string' ? Buffer.from(base64, 'base64') : null;
  };
  const collection = bytes('collection') ?? Buffer.alloc(0);
  return read['kind'] === 'document'
    ? { kind: 'document', gate, collection, id: bytes('id') ?? Buffer.alloc(0) }
    : { kind: 'range', gate, collection, after: bytes('after'), last: bytes('last') };
}
