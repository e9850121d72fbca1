/** How often each thing was done or happened. */
export type Figures = Record<string, number>;

export function addTo(sum: Figures, more: Figures): void {
  for (const [what, times] of Object.entries(more)) sum[what] = (sum[what] ?? 0) + times;
}

export const sorted = (figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).sort(([one], [other]) => (one < other ? -1 : 1)));
