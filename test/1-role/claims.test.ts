import { describe, expect, test } from 'vitest';
import * as identity from '../../src/core/checks/identity.ts';
import { UNBOUND_CLUSTER, type IdentityFound } from '../../src/core/identity.ts';
import { parts } from '../support/claim-parts.ts';
import { CLUSTER, NODE, OTHER_CLUSTER } from '../support/nodes.ts';

describe('P5-I1, P5-I11: whose directory it is', () => {
  const present = (change: object): IdentityFound => ({
    state: 'present',
    identity: { formatVersion: 1, clusterId: CLUSTER, nodeId: NODE, role: 'replica', ...change },
  });
  const facts = (found: IdentityFound | null, change: Partial<identity.IdentityFacts> = {}) => ({
    role: 'replica' as const,
    clusterId: CLUSTER,
    nodeId: NODE,
    found,
    ...change,
  });
  const expected = { format_version: 1, role: 'replica', cluster_id: CLUSTER, node_id: NODE };
  const absent = (dataFiles: readonly string[]): IdentityFound => ({ state: 'absent', dataFiles });
  parts(identity.identityIsReadable, [
    ['not read yet', facts(null), null, { file: 'identity', expected, found: null }],
    ['intact', facts(present({})), true, { file: 'identity', expected, found: { ...expected } }],
    [
      'an empty directory',
      facts(absent([])),
      true,
      { file: 'identity', expected, found: { state: 'absent', data_files: [] } },
    ],
    ['data without an identity', facts(absent(['wal'])), false],
    [
      'damaged',
      facts({ state: 'damaged', expected: 'a', found: 'b' }),
      false,
      { file: 'identity', expected, found: { state: 'damaged', expected: 'a', found: 'b' } },
    ],
  ]);
  test('data without an identity is another fault than a damaged one', () => {
    const { code } = identity.identityIsReadable;
    expect(code(facts(null))).toBe('IDENTITY_DAMAGED');
    expect([
      code(facts(absent(['wal']))),
      code(facts({ state: 'damaged', expected: 'a', found: 'b' })),
    ]).toEqual(['IDENTITY_MISSING', 'IDENTITY_DAMAGED']);
  });
  for (const check of [
    identity.formatIsKnown,
    identity.roleIsUnchanged,
    identity.clusterIsUnchanged,
    identity.nodeIsUnchanged,
  ])
    parts(check, [
      ['not read yet', facts(null), null],
      ['an absent one contradicts nothing', facts(absent([])), true],
      ['the same', facts(present({})), true],
    ]);
  parts(identity.formatIsKnown, [['another format', facts(present({ formatVersion: 2 })), false]]);
  parts(identity.roleIsUnchanged, [['another role', facts(present({ role: 'primary' })), false]]);
  parts(identity.nodeIsUnchanged, [
    ['another node', facts(present({ nodeId: OTHER_CLUSTER })), false],
    ['left open', facts(present({ nodeId: OTHER_CLUSTER }), { nodeId: null }), true],
  ]);
  parts(identity.clusterIsUnchanged, [
    ['another cluster', facts(present({ clusterId: OTHER_CLUSTER })), false],
    ['left open', facts(present({ clusterId: OTHER_CLUSTER }), { clusterId: null }), true],
    ['a replica that belongs to none yet', facts(present({ clusterId: UNBOUND_CLUSTER })), true],
    [
      'a primary always belongs to one',
      facts(present({ clusterId: UNBOUND_CLUSTER, role: 'primary' })),
      false,
    ],
  ]);
});
