import * as z from 'zod';
import type { JsonObject } from '../bytes.ts';
import { haltToJson } from '../halt.ts';
import { positionToJson } from '../position.ts';
import { gateVerdicts, type ReadFacts } from '../read-safety.ts';
import { explanationOf, type Explanation } from './explanation.ts';
import { haltFrom, positionFrom, roleFrom } from './json-shapes.ts';

/** Why a read of a view is safe, or is not, at one moment; the same facts give the same bytes. */
export function explainReads(facts: ReadFacts): Explanation {
  const verdicts = gateVerdicts(facts);
  return explanationOf(
    'replication.safety',
    facts.applied?.commitId ?? null,
    gateInputs(facts),
    verdicts,
    gateConclusion(verdicts),
  );
}

/** What the gate says, from its verdicts alone. */
export function gateConclusion(verdicts: ReturnType<typeof gateVerdicts>): {
  readonly result: 'safe' | 'unsafe' | 'undetermined';
  readonly reason: string | null;
} {
  const violated = verdicts.find(({ evaluation }) => evaluation === 'violated');
  if (violated !== undefined) return { result: 'unsafe', reason: violated.rule };
  const open = verdicts.find(({ evaluation }) => evaluation === 'undetermined');
  return open === undefined
    ? { result: 'safe', reason: null }
    : { result: 'undetermined', reason: `evidence is missing for ${open.rule}` };
}

/** All that the gate decided by, raw: from these inputs alone the explanation can be made again. */
export function gateInputs({
  role,
  clusterId,
  state,
  halt,
  receivedLsn,
  validated,
  applied,
  inFlight,
  view,
}: ReadFacts): JsonObject {
  return {
    role,
    cluster_id: clusterId,
    machine_state: state,
    position: applied && positionToJson(applied),
    view_commit_id: view.commitId,
    view_position: view.token && {
      position: positionToJson(view.token.position),
      found: view.token.found,
      found_hash: view.token.foundHash,
    },
    wal_received_lsn: receivedLsn,
    wal_validated: validated && positionToJson(validated),
    in_flight: inFlight && { from: positionToJson(inFlight.from), to: positionToJson(inFlight.to) },
    halt: halt && haltToJson(halt),
  };
}

const inputs = z.object({
  role: roleFrom,
  cluster_id: z.string().nullable(),
  machine_state: z.string(),
  position: positionFrom.nullable(),
  view_commit_id: z.int().min(0).nullable(),
  view_position: z
    .strictObject({
      position: positionFrom,
      found: z.enum(['in history', 'not in history', 'ahead', 'before what is kept', 'not looked up']),
      found_hash: z.string().nullable(),
    })
    .nullable(),
  wal_received_lsn: z.int().min(0).nullable(),
  wal_validated: positionFrom.nullable(),
  in_flight: z.strictObject({ from: positionFrom, to: positionFrom }).nullable(),
  halt: haltFrom.nullable(),
});

/** The facts that an explanation says it was made of. @throws ZodError where they are not the facts of a gate. */
export function readFactsOf(of: Explanation['inputs']): ReadFacts {
  const found = inputs.parse(of);
  const token = found.view_position;
  return {
    role: found.role,
    clusterId: found.cluster_id,
    state: found.machine_state,
    halt: found.halt,
    receivedLsn: found.wal_received_lsn,
    validated: found.wal_validated,
    applied: found.position,
    inFlight: found.in_flight,
    view: {
      commitId: found.view_commit_id,
      token: token && { position: token.position, found: token.found, foundHash: token.found_hash },
    },
  };
}
