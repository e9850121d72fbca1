import {
  newIdentity,
  UNBOUND_CLUSTER,
  type Identity,
  type IdentityFound,
  type Role,
} from '../../../src/core/identity.ts';
import { FORMAT_VERSION } from '../../../src/core/limits.ts';
import type { roleActors } from '../../1-role.ts';
import { CLUSTER, NODE, OTHER_CLUSTER, OTHER_NODE } from '../history.ts';
import type { Outcomes } from '../outcome.ts';

const identityOutcomes = (role: Role): Outcomes<typeof roleActors>['readIdentity'] => {
  const present =
    (change: Partial<Identity> = {}) =>
    (): IdentityFound => ({
      state: 'present',
      identity: { ...newIdentity(role, CLUSTER, NODE), ...change },
    });
  return {
    absent: () => ({ state: 'absent', dataFiles: [] }),
    'absent, and data stands there': () => ({ state: 'absent', dataFiles: ['00000000000000000000.wal'] }),
    damaged: () => ({ state: 'damaged', expected: 'a checksum', found: 'another' }),
    'of this node': present(),
    'of another format': present({ formatVersion: FORMAT_VERSION + 1 }),
    'of the other role': present({ role: role === 'primary' ? 'replica' : 'primary' }),
    'of another cluster': present({ clusterId: OTHER_CLUSTER }),
    'of another node': present({ nodeId: OTHER_NODE }),
    // A replica that knows its cluster from nobody is bound by the first primary it meets.
    ...(role === 'replica'
      ? { 'of this node, which met no primary yet': present({ clusterId: UNBOUND_CLUSTER }) }
      : {}),
  };
};

export const roleOutcomes = (role: Role): Outcomes<typeof roleActors> => ({
  readIdentity: identityOutcomes(role),
  claimIdentity: {
    claimed: ({ clusterId, nodeId }) =>
      newIdentity(role, clusterId ?? (role === 'primary' ? CLUSTER : UNBOUND_CLUSTER), nodeId ?? NODE),
  },
  readHaltRecord: {
    none: () => null,
    recorded: () => ({
      code: 'WAL_CORRUPT',
      invariant: 'P5-I5',
      rule: 'P5-I5 checksumMatches',
      message: 'an earlier run halted',
      evidence: {},
      action: 'look at it',
    }),
  },
  writeHaltRecord: { written: () => null },
  drain: { drained: () => null },
  keepEvidence: { kept: () => 'evidence/bytes', 'nothing to keep': () => null },
  release: { released: () => null },
});
