import { keyJson, type Json, type JsonObject } from '../core/bytes.ts';
import { positionToJson } from '../core/position.ts';
import { documentJson } from '../core/document-json.ts';
import { readFactsOf } from '../core/explain/replication.ts';
import type { StoredVersion } from '../core/storage/version.ts';
import { differencesOf, type Difference } from './difference.ts';
import type { DerivedRead } from './verify-read.ts';
import { RangeCollector, type ChainCollector } from './versions.ts';

const READ = new Set(['visible', 'absent', 'deleted']);

/**
 * Where an answer of the data plane says something else than the log: the documents themselves, their versions, the
 * view and the position.
 */
export function answerDifferences(
  answer: JsonObject,
  { explanation: { inputs, conclusion }, isWhole }: DerivedRead,
  versions: ChainCollector | RangeCollector,
): Difference[] {
  if (!READ.has(conclusion.result))
    return [{ path: 'answer', stated: answer, derived: `there is no answer: ${conclusion.result}` }];
  const { applied, view } = readFactsOf(inputs);
  const { kind: _kind, after: _after, after_base64: _base64, ...read } = inputs['read'] as JsonObject;
  const { last: _last, last_base64: _lastBase64, ...name } = read;
  const about = { position: applied && positionToJson(applied), view: { commit_id: view.commitId }, ...name };
  const { proof: _proof, ...given } = answer;
  if (!isWhole) return differencesOf(onlyFields(given, Object.keys(about)), about, 'answer');
  const expected = { ...about, ...foundBy(versions) };
  // An answer is what JSON carries: of some numbers it carries another than the text of the document has.
  return differencesOf(given, JSON.parse(JSON.stringify(expected)) as Json, 'answer');
}

function onlyFields(answer: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(answer).filter(([name]) => names.includes(name)));
}

function foundBy(versions: ChainCollector | RangeCollector): JsonObject {
  if (versions instanceof RangeCollector) {
    const documents = versions.documents.map((one) => ({ ...keyJson('id', one.id), ...versionJson(one) }));
    return { documents, ...pageEnd(versions) };
  }
  const { newest } = versions;
  if (newest === null || newest.document === null) return { found: false };
  return { found: true, ...versionJson(newest) };
}

function pageEnd(versions: RangeCollector): JsonObject {
  const { range, last } = versions.facts();
  return range.more && last !== null ? keyJson('next_after', last) : { next_after: null };
}

function versionJson({ commitId, document }: StoredVersion): JsonObject {
  return { version_commit_id: commitId, ...documentJson(document ?? Buffer.alloc(0)) };
}
