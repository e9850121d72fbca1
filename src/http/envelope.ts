/** What every DX answer is wrapped in: no timestamps, fields in this order (DESIGN 7). */
export function envelope<Data extends object>(
  data: Data,
  commitId: number | null,
  notes: readonly string[] = [],
  /** `explicit`: the answer is of the view that was asked for, not of this moment. */
  snapshot: 'live' | 'explicit' = 'live',
) {
  return {
    api_version: 'v1' as const,
    observed_at: { snapshot, commit_id: commitId },
    data,
    notes,
  };
}
