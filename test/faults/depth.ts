/** `all`: every case, as `npm run test:faults` asks for; `quick`: those that `npm test` has time for. */
export const depth: 'all' | 'quick' = process.env['FAULTS'] === 'all' ? 'all' : 'quick';
