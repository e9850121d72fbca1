import { keyJson, type Json } from '../core/bytes.ts';
import { positionToJson } from '../core/position.ts';
import { documentJson } from '../core/document-json.ts';
import type { Explanation } from '../core/explain/explanation.ts';
import { readFactsOf } from '../core/explain/replication.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import { differencesOf, type Difference } from './difference.ts';
import { RangeCollector, type ChainCollector } from './versions.ts';

/**
 * Where an answer of the data plane says something else than the log: the documents themselves, their versions, the
 * view and the position.
 */
export function answerDifferences(
  answer: Json,
  derived: Explanation,
  versions: ChainCollector | RangeCollector | null,
): Difference[] {
  if (versions === null) return [];
  const { applied, view } = readFactsOf(derived.inputs);
  const common = { position: applied && positionToJson(applied), view: { commit_id: view.commitId } };
  const read = derived.inputs['read'] as Readonly<Record<string, Json>>;
  const expected: Json =
    versions instanceof RangeCollector
      ? {
          ...common,
          collection: read['collection'] ?? null,
          documents: versions.documents.map((one) => ({ ...keyJson('id', one.id), ...versionJson(one) })),
          ...pageEnd(versions),
        }
      : {
          ...common,
          collection: read['collection'] ?? null,
          id: read['id'] ?? null,
          ...foundJson(versions.newest),
        };
  return differencesOf(answer, expected, 'answer');
}

function pageEnd(versions: RangeCollector): Record<string, Json> {
  const { range, last } = versions.facts();
  return range.more && last !== null ? keyJson('next_after', last) : { next_after: null };
}

function foundJson(newest: StoredVersion | null): Record<string, Json> {
  if (newest === null || newest.document === null) return { found: false };
  return { found: true, ...versionJson(newest) };
}

function versionJson({ commitId, document }: StoredVersion): Record<string, Json> {
  return { version_commit_id: commitId, ...documentJson(document ?? Buffer.alloc(0)) };
}
