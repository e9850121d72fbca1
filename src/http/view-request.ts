import type { Position } from '../core/position.ts';
import type { ViewRequest } from '../node/node-snapshot.ts';

/** The view that `at` or `position` asks for. */
export function viewRequest({
  at,
  position,
}: {
  readonly at?: number | undefined;
  readonly position?: Position | undefined;
}): ViewRequest {
  if (position !== undefined) return { position };
  return at === undefined ? {} : { at };
}
