import { createHash } from 'node:crypto';
import type { Json } from '../../src/core/bytes.ts';

/** One change of something that was said, and where it is. */
export interface Forgery {
  readonly path: string;
  readonly change: string;
  readonly forged: Json;
}

type Parent = Json[] | { [name: string]: Json };
type Route = readonly (string | number)[];

/** Text under a right seal, as someone would make it who wants it to be believed. */
export function sealed(line: string): Buffer {
  const seal = createHash('sha256').update(`${line}\n`).digest('hex');
  return Buffer.from(`${line}\nsha256 ${seal}\n`);
}

/** Every single change of a JSON value: each leaf, each field, each pair of neighbours in an array. */
export function* forgeriesOf(whole: Json): Generator<Forgery> {
  for (const route of routesOf(whole)) {
    const path = pathOf(route);
    const at = valueAt(whole, route);
    for (const [change, value] of changesOf(at)) yield { path, change, forged: put(whole, route, value) };
    if (route.length > 0) yield { path, change: 'removed', forged: put(whole, route, undefined) };
  }
}

function routesOf(value: Json, route: Route = []): Route[] {
  if (typeof value !== 'object' || value === null) return [route];
  const names = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value);
  return [route, ...names.flatMap((name) => routesOf(valueAt(value, [name]), [...route, name]))];
}

/** What a value could be instead. */
function changesOf(value: Json): [string, Json][] {
  if (typeof value === 'number')
    return [
      ['one more', value + 1],
      ['one less', value - 1],
      ['null', null],
    ];
  if (typeof value === 'string')
    return [
      ['altered', value === '' ? 'x' : `${value.startsWith('0') ? '1' : '0'}${value.slice(1)}`],
      ['longer', `${value}x`],
      ['null', null],
    ];
  if (typeof value === 'boolean') return [['flipped', !value]];
  if (value === null)
    return [
      ['a number', 1],
      ['a text', 'x'],
      ['an object', {}],
    ];
  if (!Array.isArray(value)) return [['a field more', { ...value, forged: 1 }]];
  const swaps = value.slice(1).map((_, index): [string, Json] => {
    const swapped = [...(value as Json[])];
    [swapped[index], swapped[index + 1]] = [swapped[index + 1] as Json, swapped[index] as Json];
    return [`${index} and ${index + 1} swapped`, swapped];
  });
  return [...swaps, ['an element more', [...(value as Json[]), value.at(-1) ?? 1] as Json]];
}

function valueAt(whole: Json, route: Route): Json {
  return route.reduce<Json>((at, name) => (at as Record<string | number, Json>)[name] as Json, whole);
}

/** A copy with another value at a place; `undefined` takes it out. */
function put(whole: Json, route: Route, value: Json | undefined): Json {
  if (route.length === 0) return value ?? null;
  const copy = structuredClone(whole) as Parent;
  const parent = valueAt(copy, route.slice(0, -1)) as Record<string | number, Json>;
  const name = route.at(-1) as string | number;
  if (value !== undefined) parent[name] = value;
  else if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
  return copy;
}

function pathOf(route: Route): string {
  return route.reduce<string>(
    (path, name) => (typeof name === 'number' ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`),
    '',
  );
}
