import type { Json } from '../core/bytes.ts';

/** A place where an explanation says something else than what follows from the evidence. */
export interface Difference {
  /** Where in the explanation: `rules_applied[2].evidence.applied.lsn`. */
  readonly path: string;
  readonly stated: Json;
  readonly derived: Json;
}

/** Every place where two JSON values part; what one of them does not have at all counts as `null` there. */
export function differencesOf(stated: Json, derived: Json, path = ''): Difference[] {
  if (Object.is(stated, derived)) return [];
  if (!isParent(stated) || !isParent(derived) || Array.isArray(stated) !== Array.isArray(derived))
    return [{ path, stated, derived }];
  const names = new Set([...Object.keys(stated), ...Object.keys(derived)]);
  const found = [...names].flatMap((name) => {
    const at = Array.isArray(stated) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
    const one = childOf(stated, name);
    const other = childOf(derived, name);
    if (one === undefined || other === undefined)
      return [{ path: at, stated: one ?? null, derived: other ?? null }];
    return differencesOf(one, other, at);
  });
  // The same fields in another order are other bytes; the fields below were compared in the same way.
  return found.length === 0 && !isSameOrder(Object.keys(stated), Object.keys(derived))
    ? [
        {
          path: `${path}, the order of its fields`,
          stated: Object.keys(stated),
          derived: Object.keys(derived),
        },
      ]
    : found;
}

function isSameOrder(names: readonly string[], others: readonly string[]): boolean {
  return names.every((name, index) => name === others[index]);
}

type Parent = readonly Json[] | { readonly [name: string]: Json };

function isParent(value: Json): value is Parent {
  return typeof value === 'object' && value !== null;
}

function childOf(parent: Parent, name: string): Json | undefined {
  return Object.hasOwn(parent, name) ? (parent as Readonly<Record<string, Json>>)[name] : undefined;
}
