import { fileURLToPath } from 'node:url';

/** What a frame of a profile is part of. */
export interface Layer {
  readonly group: string;
  /** Deciding and telling what was decided, or doing the work. */
  readonly side: 'statechart' | 'effect' | 'other' | 'idle';
}

/** Where the program lies, built or as it was written. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const PACKAGES = 'node_modules/';

/** The files that keep and tell what the chart does: transitions, their journal, the figures of them. */
const TELLING = /^src\/node\/(transition|flight|observer|metrics)/;
const STATECHART_PACKAGES: ReadonlySet<string> = new Set(['xstate', 'pino', 'sonic-boom', 'thread-stream']);
const EFFECTS = ['src/actors', 'src/io', 'src/core/wal', 'src/core/storage', 'src/http', 'src/cli'] as const;

/**
 * The layer of a frame; `undefined` where it has none of its own, as what node provides, or a function of `src/core` that
 * a guard calls as well as an effect does.
 */
export function layerOf(frame: { readonly functionName: string; readonly url: string }): Layer | undefined {
  if (frame.url === '') return ofEngine(frame.functionName);
  if (!frame.url.startsWith('file:')) return undefined;
  const file = fileURLToPath(frame.url);
  const inPackages = file.lastIndexOf(PACKAGES);
  if (inPackages !== -1) return ofPackage(file.slice(inPackages + PACKAGES.length));
  return file.startsWith(ROOT) ? ofFile(file.slice(ROOT.length)) : undefined;
}

/** What V8 does by itself stands at the root of the tree, and nobody can say for whom it was done. */
function ofEngine(name: string): Layer | undefined {
  if (name === '(idle)') return { group: 'idle', side: 'idle' };
  return name === '(program)' || name === '(garbage collector)' ? { group: name, side: 'other' } : undefined;
}

function ofPackage(path: string): Layer | undefined {
  const [first = '', second = ''] = path.split('/');
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  // What checks a shape is called by everybody.
  if (name === 'zod') return undefined;
  return { group: name, side: STATECHART_PACKAGES.has(name) ? 'statechart' : 'effect' };
}

function ofFile(path: string): Layer | undefined {
  if (path.startsWith('machines/')) return { group: 'machines', side: 'statechart' };
  if (TELLING.test(path)) return { group: 'src/node: what is told of it', side: 'statechart' };
  const effect = EFFECTS.find((directory) => path.startsWith(`${directory}/`));
  return effect === undefined ? undefined : { group: effect, side: 'effect' };
}
