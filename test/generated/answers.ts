import { deepStrictEqual } from 'node:assert/strict';
import { matchesState, type StateValue } from 'xstate';
import { replicaState } from '../../machines/replica-state.ts';
import { stateLine } from '../../src/core/state-line.ts';
import { askJson } from '../support/http.ts';
import type { NodeContext } from '../../machines/context.ts';
import { readBack, type Knowledge } from './agreement.ts';
import type { World } from './world.ts';

/** Before a start has come to its end there is nobody to speak for: the server says that the node is starting. */
function isServed({ role }: World, value: StateValue): boolean {
  if (matchesState({ halted: 'refusing' }, value)) return false;
  if (role === 'primary')
    return ['disabled', 'halted', 'stopped'].some((state) => matchesState(state, value));
  if (matchesState('recovering', value)) return matchesState({ recovering: 'replaying' }, value);
  return !matchesState('initializing', value);
}

/** Throws where the DX answers over HTTP are not what the pure chart says. */
export async function answersAgree(
  world: World,
  value: StateValue,
  known: Knowledge,
  { halt }: NodeContext,
): Promise<void> {
  const { left, server } = world;
  left.isServed ||= isServed(world, value);
  if (left.isServed) {
    const { node, error } = await world.opened;
    if (node === null) throw new Error('the start was refused', { cause: error });
  }
  const [ready, replication, machine] = await Promise.all([
    askJson(server.url, '/readyz'),
    askJson(server.url, '/v1/replication'),
    askJson(server.url, '/v1/machine?chart=0'),
  ]);
  if (!left.isServed) {
    const starting = { status: 503, code: 'NODE_STARTING' };
    const said = ({ status, body }: typeof machine) => ({
      status,
      code: (body['error'] as { code: string }).code,
    });
    deepStrictEqual(
      { ready: [ready.status, ready.body], replication: said(replication), machine: said(machine) },
      {
        ready: [503, { ready: false, reasons: ['NODE_STARTING'] }],
        replication: starting,
        machine: starting,
      },
    );
    return;
  }
  const of = ({ body }: typeof machine) => body['data'] as Record<string, unknown>;
  const {
    replica_state,
    wal_received_lsn,
    wal_validated_lsn,
    wal_applied_lsn,
    primary_commit_id,
    read_safety,
    detachment,
    failure,
  } = of(replication);
  const { primarySaid } = left;
  // A primary speaks for itself; a replica knows what it was told, and what it has proved.
  const primaryAt = primarySaid && Math.max(primarySaid.commitId, known.validated?.commitId ?? 0);
  const safe = isSafe(world, value, known);
  const applied = typeof known.applied === 'object' ? (known.applied?.lsn ?? null) : wal_applied_lsn;
  deepStrictEqual(
    {
      ready: ready.status,
      replica_state,
      wal_received_lsn,
      wal_validated_lsn,
      wal_applied_lsn,
      primary_commit_id,
      read_safety,
      isDetached: detachment !== null,
      failure,
      machine_state: of(machine)['machine_state'],
    },
    {
      ready: safe ? 200 : 503,
      replica_state: replicaState(value),
      wal_received_lsn: known.received,
      wal_validated_lsn: known.validated?.lsn ?? null,
      wal_applied_lsn: applied,
      primary_commit_id: world.role === 'primary' ? primary_commit_id : primaryAt,
      read_safety: safe ? 'Safe' : 'Unsafe',
      isDetached: known.isDetached,
      failure: readBack(halt),
      machine_state: stateLine(value),
    },
  );
}

/**
 * Nothing stands against reads exactly where the gate is open, or closed for the batch in flight only: such reads wait for
 * its boundary. A primary that works is its own proof.
 */
function isSafe({ role }: World, value: StateValue, { inFlight }: Knowledge): boolean {
  if (role === 'primary') return matchesState('disabled', value);
  const isOpen = matchesState({ replicating: { readGate: 'open' } }, value);
  return isOpen || (matchesState('replicating', value) && inFlight !== null);
}
