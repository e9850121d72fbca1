import { describe, expect, test } from 'vitest';
import { replicaState, type ReplicaState } from '../../machines/replica-state.ts';

const replicating = (ingesting: string, validating: string, applying: string) => ({
  replicating: { ingesting, validating, applying, readGate: 'closed' },
});

describe('P5-I14: the state of a replica has one name', () => {
  test.each<[ReplicaState, Parameters<typeof replicaState>[0]]>([
    ['Initializing', { initializing: 'identifying' }],
    ['Disabled', 'disabled'],
    ['Bootstrapping', { bootstrapping: 'fetching' }],
    ['Recovering', { recovering: { replaying: 'checking' } }],
    ['ReplicationHalted', { halted: 'resting' }],
    ['Stopped', { stopped: 'closed' }],
    ['Ready', replicating('receiving', 'idle', 'idle')],
    ['ApplyingWAL', replicating('receiving', 'idle', 'replaying')],
    ['ValidatingWAL', replicating('receiving', 'checking', 'idle')],
    ['ValidatingWAL', replicating('receiving', 'checking', 'replaying')],
    ['ReceivingWAL', replicating('persisting', 'idle', 'idle')],
    ['ReceivingWAL', replicating('persisting', 'checking', 'replaying')],
  ])('%s, case %#', (name, value) => {
    expect(replicaState(value)).toBe(name);
  });

  test('P5-I3: a state that the chart does not have has none', () => {
    expect(() => replicaState('dreaming')).toThrow('the chart has no state dreaming');
    expect(() => replicaState({})).toThrow('the chart has no state undefined');
  });
});
