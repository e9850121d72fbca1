import type { ChartState, ChartTransition } from '../../machines/chart.ts';

/** What a state is called within its parent. */
export function shortName({ id, path }: ChartState): string {
  return path === '' ? id : path.slice(path.lastIndexOf('.') + 1);
}

/** What stands beside an arrow; the entry into a state needs no words. */
export function labelOf({ event, guard }: Pick<ChartTransition, 'event' | 'guard'>): readonly string[] {
  if (event === 'initial') return [];
  return guard === null ? [event] : [event, `[${guard}]`];
}
