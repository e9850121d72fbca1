import type { SourceFailure } from '../../../src/core/ingress.ts';

/** A primary that refuses, and one that is silent. */
export const refused = (code: Extract<SourceFailure, { kind: 'refused' }>['code']): SourceFailure => ({
  kind: 'refused',
  code,
  message: 'the primary refuses',
  evidence: {},
});
export const unreachable: SourceFailure = { kind: 'unreachable', message: 'the primary is silent' };
