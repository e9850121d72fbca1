import type { Chart, ChartState, ChartTransition } from '../../machines/chart.ts';

/** What a state is called within its parent. */
export function shortName({ id, path }: ChartState): string {
  return path === '' ? id : path.slice(path.lastIndexOf('.') + 1);
}

/** What a state is called within its chart. */
export function pathName({ id: root }: Chart, id: string): string {
  return id === root ? id : id.slice(root.length + 1);
}

/** What stands beside an arrow; the entry into a state needs no words. */
export function labelOf({ event, guard }: Pick<ChartTransition, 'event' | 'guard'>): readonly string[] {
  if (event === 'initial') return [];
  return guard === null ? [event] : [event, `[${guard}]`];
}

/**
 * The same in one short line for pictures: the end of an effect by its name and how it ended, and a guard alone where
 * no event is waited for.
 */
export function wordsOf({ event, guard }: Pick<ChartTransition, 'event' | 'guard'>): string {
  if (event === 'initial') return '';
  const short = event
    .replace(/^xstate\.done\.actor\.(.*)$/, '$1 done')
    .replace(/^xstate\.error\.actor\.(.*)$/, '$1 failed');
  if (guard === null) return short;
  return event === 'always' ? `[${guard}]` : `${short} [${guard}]`;
}
