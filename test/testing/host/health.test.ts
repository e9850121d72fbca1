import type { NodeSnapshot } from 'replichart';
import { charts, checkChart, exploreChart, lineOf, RULES, type Rule } from 'replichart/testing';
import { describe, expect, test } from 'vitest';
import { healthOf, reactionTo, type HealthWord, type Reaction } from './health.ts';

const { machine, role } = charts.node;
/** One unit of WAL: every state that tells apart what the host tells apart. */
const BOUND = { units: 1 };

/** Every state that a replica can reach, whatever its primary, its network and its disk do. */
const reached = [...exploreChart(machine, role, BOUND).vertices.values()].flatMap(({ state: { settled } }) =>
  settled === null ? [] : [settled.snapshot],
);

describe('in every state that a replica can reach', () => {
  test('the catalogue has a word for it, and uses all its words but the one for a bug of the machine', () => {
    const words = new Set<HealthWord>(reached.map((snapshot) => healthOf(snapshot).word));
    expect([...words].sort()).toEqual([
      'catching up',
      'halted',
      'not replicating',
      'serving',
      'starting',
      'stopped',
    ]);
  });

  test('it says "serving" exactly while the gate is open, and otherwise why not', () => {
    const wrong = reached.filter((snapshot) => {
      const { word, reason } = healthOf(snapshot);
      const isOpen = lineOf(snapshot).includes('replicating.readGate.open');
      return (word === 'serving') !== isOpen || (reason === null) !== isOpen || reason?.includes('undefined');
    });
    expect(wrong.map(lineOf)).toEqual([]);
  });
});

/** A rule of the host's own, for the checker to look at beside those of the package. */
const neverRestartsAHalted = (reaction: (snapshot: NodeSnapshot) => Reaction): Rule => ({
  invariant: 'catalogue-1',
  says: 'A halted replica is never started again by us.',
  ofRest: ({ snapshot }) => {
    const { halt } = snapshot.context as NodeSnapshot['context'];
    return halt !== null && reaction(snapshot) === 'start again' ? `it halted with ${halt.code}` : null;
  },
});

describe('a halted replica is never started again by us', () => {
  const check = (reaction: (snapshot: NodeSnapshot) => Reaction) =>
    checkChart(machine, role, BOUND, { rules: [...RULES, neverRestartsAHalted(reaction)] }).counterexample;

  test('whatever led to the halt, and whatever was done since', () => {
    expect(check(reactionTo)).toBeNull();
  });

  test('and a host that looks only at the state, and not at what led to it, is found out', () => {
    const forgetful = (snapshot: NodeSnapshot): Reaction =>
      healthOf(snapshot).word === 'stopped' ? 'start again' : reactionTo(snapshot);
    expect(check(forgetful)).toEqual({
      what: 'catalogue-1: A halted replica is never started again by us. (it halted with IDENTITY_MISSING)',
      transcript: [
        '1. start as a named node of a named cluster, replication enabled, bootstrap from wal  → initializing.identifying',
        '2. readIdentity: absent, and data stands there  → halted.refusing (P5-I11 identityIsReadable)',
        '3. node.stop  → stopped.draining (P5-I11 identityIsReadable)',
      ],
    });
  });
});
