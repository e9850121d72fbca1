/** What every DX answer is wrapped in: no timestamps, fields in this order (DESIGN 7). */
export function envelope<Data extends object>(
  data: Data,
  commitId: number | null,
  notes: readonly string[] = [],
) {
  return {
    api_version: 'v1',
    observed_at: { snapshot: 'live', commit_id: commitId },
    data,
    notes,
  };
}
