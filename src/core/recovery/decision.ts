import { holds, type RuleId } from '../checks/check.ts';
import { noHaltIsRecorded, prefixIsProven, type RecoveryFacts } from '../checks/recovery.ts';

/** What recovery decides by: each a question to the disk with few answers, so that all combinations can be gone through. */
export interface RecoveryInputs {
  readonly halt: 'none' | 'recorded';
  readonly checkpoint: 'absent' | 'damaged' | 'intact';
  readonly wal: 'empty' | 'present';
  readonly base: 'not needed' | 'intact' | 'missing' | 'damaged';
  /** The WAL up to the checkpoint. */
  readonly prefix: 'proven' | 'broken';
  /** The WAL behind the checkpoint, as far as it is proven. */
  readonly proven: 'nothing' | 'something';
  /** How the WAL ends behind what is proven. */
  readonly end: 'clean' | 'torn' | 'invalid';
  /** What an interrupted bootstrap or rename left. */
  readonly partials: 'none' | 'present';
  readonly bootstrap: 'wal' | 'snapshot';
}

export const RECOVERY_ANSWERS: {
  readonly [Question in keyof RecoveryInputs]: readonly RecoveryInputs[Question][];
} = {
  halt: ['none', 'recorded'],
  checkpoint: ['absent', 'damaged', 'intact'],
  wal: ['empty', 'present'],
  base: ['not needed', 'intact', 'missing', 'damaged'],
  prefix: ['proven', 'broken'],
  proven: ['nothing', 'something'],
  end: ['clean', 'torn', 'invalid'],
  partials: ['none', 'present'],
  bootstrap: ['wal', 'snapshot'],
};

export type RecoveryStep =
  'discard partials' | 'discard index' | 'write first checkpoint' | 'discard tail' | 'replay';

/** What is done, and how it ends. */
export interface RecoveryPlan {
  readonly outcome: 'stay halted' | 'halt' | 'bootstrap' | 'replicate';
  /** The claim that does not hold, where the outcome is a halt. */
  readonly rule: RuleId | null;
  readonly steps: readonly RecoveryStep[];
}

/** The decision table of a replica's recovery: the first row that fits. Pure, total, and the only place it is decided. */
export function decideRecovery(inputs: RecoveryInputs): RecoveryPlan {
  const { halt, checkpoint, wal, base, prefix, proven, end, partials, bootstrap } = inputs;
  if (halt === 'recorded') return { outcome: 'stay halted', rule: 'P5-I10 noHaltIsRecorded', steps: [] };
  if (checkpoint === 'damaged' || (checkpoint === 'absent' && wal === 'present'))
    return { outcome: 'halt', rule: 'P5-I11 checkpointIsIntact', steps: [] };
  if (base === 'missing' || base === 'damaged')
    return { outcome: 'halt', rule: 'P5-I8 baseIsInPlace', steps: [] };
  if (prefix === 'broken') return { outcome: 'halt', rule: 'P5-I4 prefixIsProven', steps: [] };
  if (checkpoint === 'absent') {
    // Without a checkpoint nothing on disk is anything yet: what else stands there was left by a start that never ended.
    const steps: RecoveryStep[] = ['discard partials', 'discard index'];
    return bootstrap === 'snapshot'
      ? { outcome: 'bootstrap', rule: null, steps }
      : { outcome: 'replicate', rule: null, steps: [...steps, 'write first checkpoint'] };
  }
  const steps: RecoveryStep[] = [];
  if (partials === 'present') steps.push('discard partials');
  if (end !== 'clean') steps.push('discard tail');
  if (proven === 'something') steps.push('replay');
  return { outcome: 'replicate', rule: null, steps };
}

/** The answers that the disk gave. */
export function recoveryInputs(
  facts: RecoveryFacts,
  bootstrap: RecoveryInputs['bootstrap'],
): RecoveryInputs | null {
  const { survey } = facts;
  if (survey === null) return null;
  const { checkpoint, wal, base, tail, partials } = survey;
  const checkpointLsn = checkpoint.state === 'intact' ? checkpoint.value.lsn : 0;
  return {
    halt: holds(noHaltIsRecorded, facts) ? 'none' : 'recorded',
    checkpoint: checkpoint.state,
    wal: wal.segments > 0 && wal.endLsn > wal.startLsn ? 'present' : 'empty',
    base: base.state,
    prefix: holds(prefixIsProven, facts) ? 'proven' : 'broken',
    proven: (tail.provenTo?.lsn ?? 0) > checkpointLsn ? 'something' : 'nothing',
    end: tail.stop?.kind ?? 'clean',
    partials: partials.length > 0 ? 'present' : 'none',
    bootstrap,
  };
}
