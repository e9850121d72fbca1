import type { Json, JsonObject } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import { explanationShape, type Explanation } from '../core/explain/explanation.ts';

/** What was given to be verified: an explanation, and what it came in. */
export interface Carrier {
  /** As it was given: fields that no explanation has are still there. */
  readonly explanation: Explanation;
  /** The answer of the data plane that carries it as its proof, without the proof. */
  readonly answer: JsonObject | null;
  /** What an answer of the DX plane has around it. */
  readonly envelope: JsonObject | null;
}

/** Nothing that a node says is nested deeper, and what is compared must not take the stack. */
const DEPTH_MAX = 500;

/** @throws ReplichartError `REQUEST_INVALID` where this is no explanation, nor an answer that carries one. */
export function carrierOf(given: unknown): Carrier {
  if (isDeeperThan(given, DEPTH_MAX))
    throw new ReplichartError('REQUEST_INVALID', `this is nested deeper than ${DEPTH_MAX} levels`);
  if (!isObject(given)) throw noExplanation();
  if (Object.hasOwn(given, 'explanation_type'))
    return { explanation: checked(given), answer: null, envelope: null };
  if (Object.hasOwn(given, 'proof')) {
    const { proof, ...answer } = given;
    return { explanation: checked(proof), answer, envelope: null };
  }
  const { data, ...envelope } = given;
  return { explanation: checked(data), answer: null, envelope };
}

function checked(given: Json | undefined): Explanation {
  const parsed = explanationShape.safeParse(given);
  if (!parsed.success) throw noExplanation();
  return given as unknown as Explanation;
}

function noExplanation(): ReplichartError {
  return new ReplichartError('REQUEST_INVALID', 'this is no explanation, and no answer that carries one');
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDeeperThan(value: unknown, depthMax: number): boolean {
  let level: object[] = [{ value }];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthMax) return true;
    level = level.flatMap((one) =>
      Object.values(one).filter((child): child is object => typeof child === 'object' && child !== null),
    );
  }
  return false;
}
