/**
 * Events as a journal keeps them. What effects answer is plain data already; what they throw is kept as far as anything
 * in a chart can tell one error from another (`effectFault`), so that it can be thrown again.
 */
import type { Json, JsonObject } from '../bytes.ts';
import { InvariantBug, ReplichartError, type ErrorCode } from '../errors.ts';
import type { InvariantId } from '../invariants.ts';

export interface FlightEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** XState tells of an effect that failed with an event of a type that begins so; its `error` is what was thrown. */
const FAILED_EFFECT = 'xstate.error.';

export function eventToJson(event: FlightEvent): JsonObject {
  const isFailure = event.type.startsWith(FAILED_EFFECT);
  return (isFailure ? { ...event, error: errorToJson(event['error']) } : event) as JsonObject;
}

export function eventFromJson(event: JsonObject): FlightEvent {
  const { type } = event;
  if (typeof type !== 'string') throw new InvariantBug('an event of a journal has a type');
  if (!type.startsWith(FAILED_EFFECT)) return event as unknown as FlightEvent;
  return { ...event, type, error: errorFromJson(event['error'] as JsonObject) };
}

/** What `describeError` looks at beside name, message and evidence. */
const SYSTEM_FIELDS = ['code', 'syscall', 'path'] as const;

export function errorToJson(error: unknown): JsonObject {
  if (error instanceof ReplichartError) {
    const { code, message, invariant, evidence } = error;
    return { kind: 'expected', code, message, invariant, evidence };
  }
  if (error instanceof InvariantBug) return { kind: 'bug', message: error.message };
  if (!(error instanceof Error)) return { kind: 'value', text: String(error) };
  const facts: Record<string, Json> = { kind: 'error', name: error.name, message: error.message };
  for (const field of SYSTEM_FIELDS) {
    const value: unknown = (error as NodeJS.ErrnoException)[field];
    if (typeof value === 'string') facts[field] = value;
  }
  return facts;
}

/** An error of the same class, with all that was kept of it; a thrown value that was no error becomes its text. */
export function errorFromJson(facts: JsonObject): unknown {
  const { kind, ...rest } = facts as JsonObject & Readonly<Record<'kind' | 'message' | 'text', string>>;
  if (kind === 'bug') return new InvariantBug(rest.message);
  if (kind === 'error') {
    const { message, ...fields } = rest;
    return Object.assign(new Error(message), fields);
  }
  if (kind !== 'expected') return rest.text;
  const { code, message, invariant, evidence } = rest;
  return new ReplichartError(code as ErrorCode, message, {
    invariant: invariant as InvariantId | null,
    evidence: evidence as JsonObject,
  });
}
