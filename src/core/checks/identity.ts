import type { JsonObject } from '../bytes.ts';
import { identityToJson, UNBOUND_CLUSTER, type IdentityFound, type Role } from '../identity.ts';
import { FORMAT_VERSION } from '../limits.ts';
import { defineCheck, type Check } from './check.ts';

/** What the configuration says of a node, and what its data directory says. */
export interface IdentityFacts {
  readonly role: Role;
  /** `null`: the configuration leaves it open. */
  readonly clusterId: string | null;
  readonly nodeId: string | null;
  /** `null`: not read yet. */
  readonly found: IdentityFound | null;
}

function evidence(facts: IdentityFacts): JsonObject {
  const { found } = facts;
  return {
    file: 'identity',
    expected: {
      format_version: FORMAT_VERSION,
      role: facts.role,
      cluster_id: facts.clusterId,
      node_id: facts.nodeId,
    },
    found:
      found === null
        ? null
        : found.state === 'present'
          ? identityToJson(found.identity)
          : found.state === 'absent'
            ? { state: 'absent', data_files: found.dataFiles }
            : { state: 'damaged', expected: found.expected, found: found.found },
  };
}

/** Claims about the identity that is there; an absent one contradicts nothing. */
function ofPresent(claim: (found: IdentityFound & { state: 'present' }, facts: IdentityFacts) => boolean) {
  return (facts: IdentityFacts) =>
    facts.found === null ? null : facts.found.state === 'present' ? claim(facts.found, facts) : true;
}

export const identityIsReadable: Check<IdentityFacts> = defineCheck('P5-I11 identityIsReadable', {
  description: 'The identity file is intact, or the data directory is empty.',
  code: (facts) => (facts.found?.state === 'absent' ? 'IDENTITY_MISSING' : 'IDENTITY_DAMAGED'),
  claim: ({ found }) =>
    found === null
      ? null
      : found.state === 'absent'
        ? found.dataFiles.length === 0
        : found.state === 'present',
  evidence,
});

export const formatIsKnown: Check<IdentityFacts> = defineCheck('P5-I1 formatIsKnown', {
  description: 'The data directory is in the format version of this program.',
  code: 'FORMAT_UNSUPPORTED',
  claim: ofPresent(({ identity }) => identity.formatVersion === FORMAT_VERSION),
  evidence,
});

export const roleIsUnchanged: Check<IdentityFacts> = defineCheck('P5-I1 roleIsUnchanged', {
  description: 'The node has the role that its data directory was made with.',
  code: 'ROLE_CHANGED',
  claim: ofPresent(({ identity }, facts) => identity.role === facts.role),
  evidence,
});

export const clusterIsUnchanged: Check<IdentityFacts> = defineCheck('P5-I1 clusterIsUnchanged', {
  description: 'The node belongs to the cluster that its data directory was made for.',
  code: 'CLUSTER_CHANGED',
  claim: ofPresent(
    ({ identity }, facts) =>
      facts.clusterId === null ||
      identity.clusterId === facts.clusterId ||
      (identity.role === 'replica' && identity.clusterId === UNBOUND_CLUSTER),
  ),
  evidence,
});

export const nodeIsUnchanged: Check<IdentityFacts> = defineCheck('P5-I1 nodeIsUnchanged', {
  description: 'The node is the one that its data directory was made for.',
  code: 'NODE_CHANGED',
  claim: ofPresent(({ identity }, facts) => facts.nodeId === null || identity.nodeId === facts.nodeId),
  evidence,
});
