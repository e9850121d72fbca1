import { isConfiguration } from '../../machines/configuration.ts';
import { haltToJson, type HaltReason } from '../core/halt.ts';
import type { ReadFacts } from '../core/read-safety.ts';
import type { Evidence } from './evidence.ts';
import type { Derivation } from './derivation.ts';
import { PositionsIn } from './derivation.ts';
import { differencesOf } from './difference.ts';
import type { ProvenHistory } from './history.ts';

/** The LSNs that the facts of a gate speak of. */
export function lsnsOfGate({ receivedLsn, validated, applied, inFlight, view }: ReadFacts): number[] {
  return [
    receivedLsn,
    validated?.lsn,
    applied?.lsn,
    inFlight?.from.lsn,
    inFlight?.to.lsn,
    view.token?.position.lsn,
  ].filter((lsn) => lsn !== null && lsn !== undefined);
}

/**
 * The facts of a gate as the files give them: positions and hashes from proven history, role and halt from the node's
 * own files. What is of a moment of the process is taken as it is stated, and must be possible.
 */
export function deriveGate(
  stated: ReadFacts,
  { history, role, halt }: Evidence,
  derivation: Derivation,
): ReadFacts {
  const at = new PositionsIn(history, derivation);
  const { applied, validated, inFlight, receivedLsn } = stated;
  derivation.notInFiles.push('inputs.machine_state', 'inputs.in_flight');
  const derived: ReadFacts = {
    ...stated,
    role: role ?? stated.role,
    halt: halt === undefined ? stated.halt : haltOf(stated.halt, halt, derivation),
    applied: applied && at.position('inputs.position', applied),
    validated: validated && at.position('inputs.wal_validated', validated),
    inFlight: inFlight && {
      from: at.position('inputs.in_flight.from', inFlight.from),
      to: at.position('inputs.in_flight.to', inFlight.to),
    },
  };
  checkReceived(receivedLsn, history, at, derivation);
  checkMoment(derived, derivation);
  return { ...derived, view: { ...stated.view, token: tokenOf(stated, history, derivation) } };
}

/** What was received and is not proved may be anything; it only has to be there. */
function checkReceived(
  receivedLsn: number | null,
  history: ProvenHistory,
  at: PositionsIn,
  derivation: Derivation,
): void {
  if (receivedLsn === null || (receivedLsn > history.end.lsn && receivedLsn <= history.filesEndLsn)) return;
  if (receivedLsn > history.filesEndLsn)
    derivation.undetermined.push(
      `inputs.wal_received_lsn: the files end at LSN ${history.filesEndLsn}, before what is said to be received`,
    );
  else at.chainAt('inputs.wal_received_lsn', receivedLsn);
}

function haltOf(
  stated: HaltReason | null,
  found: HaltReason | null,
  derivation: Derivation,
): HaltReason | null {
  const differences = differencesOf(stated && haltToJson(stated), found && haltToJson(found), 'inputs.halt');
  derivation.differences.push(...differences);
  return found;
}

/** States in which a batch is on its way into storage. */
const IN_FLIGHT = /\b(applying|replaying)\.(replaying|provingCheckpoint|finishing)\b/;

/** A moment leaves no trace, but not every combination of what is stated is a moment of the chart. */
function checkMoment({ role, state, halt, inFlight }: ReadFacts, derivation: Derivation): void {
  if (state.includes(' in ')) return;
  if (!isConfiguration(role, state))
    derivation.differs('inputs.machine_state', state, `no configuration of the chart of a ${role}`);
  if (role === 'replica' && IN_FLIGHT.test(state) !== (inFlight !== null))
    derivation.differs('inputs.in_flight', inFlight !== null, IN_FLIGHT.test(state));
  if (state.startsWith('halted') !== (halt !== null))
    derivation.differs('inputs.machine_state', state, halt === null ? 'no halt' : `halted by ${halt.code}`);
}

/** The token of a view, looked up anew. */
function tokenOf(
  { applied, view: { token } }: ReadFacts,
  { beginning, end, chains }: ProvenHistory,
  derivation: Derivation,
): ReadFacts['view']['token'] {
  if (token === null || applied === null) return token;
  const { position } = token;
  if (position.lsn > applied.lsn || position.commitId > applied.commitId)
    return { position, found: 'ahead', foundHash: null };
  if (position.lsn < beginning.chain.lsn || token.found === 'before what is kept') {
    derivation.undetermined.push('inputs.view_position: what a node keeps is not known from these files');
    return token;
  }
  const chain = chains.get(position.lsn);
  if (chain === undefined)
    return position.lsn <= end.lsn ? { position, found: 'not in history', foundHash: null } : token;
  const isOurs = chain.historyHash === position.historyHash && position.commitId <= chain.commitId;
  return { position, found: isOurs ? 'in history' : 'not in history', foundHash: chain.historyHash };
}
