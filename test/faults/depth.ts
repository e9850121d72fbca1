/** `FAULTS=all`: every single fault there is; otherwise a part of them that is spread over all. */
export const depth: 'all' | 'quick' = process.env['FAULTS'] === 'all' ? 'all' : 'quick';

/** How long a test of all faults may take: nothing is decided by it. */
export const WHOLE_TIMEOUT_MS = 3_600_000;
