/** The seventeen invariants, by the ids that guards, explanations, errors, tests and diagrams use. */
export const INVARIANTS = {
  'P5-I1': 'no semantic redefinition',
  'P5-I2': 'continuous enforcement',
  'P5-I3': 'explicit state machines only',
  'P5-I4': 'WAL prefix',
  'P5-I5': 'validate before apply',
  'P5-I6': 'CommitId authority',
  'P5-I7': 'identical MVCC',
  'P5-I8': 'a snapshot is a cut',
  'P5-I9': 'snapshot + WAL continuity',
  'P5-I10': 'failure over progress',
  'P5-I11': 'crash safety',
  'P5-I12': 'proven reads',
  'P5-I13': 'no concurrent authority',
  'P5-I14': 'observable',
  'P5-I15': 'explanations are real',
  'P5-I16': 'removable',
  'P5-I17': 'testable',
} as const;

export type InvariantId = keyof typeof INVARIANTS;
