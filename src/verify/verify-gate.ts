import { isConfiguration } from '../../machines/configuration.ts';
import type { HaltReason } from '../core/halt.ts';
import { UNBOUND_CLUSTER } from '../core/identity.ts';
import type { ReadFacts } from '../core/read-safety.ts';
import type { Evidence, OwnFiles } from './evidence.ts';
import type { Findings } from './findings.ts';
import { PositionsIn } from './positions.ts';
import { sameHalt, withoutBytes } from './verify-halt.ts';

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
export function deriveGate(given: ReadFacts, evidence: Evidence, findings: Findings): ReadFacts {
  const { own } = evidence;
  const at = new PositionsIn(evidence, findings);
  const stated: ReadFacts = { ...given, role: own?.role ?? given.role };
  const { role, applied, validated, inFlight } = stated;
  sayWhatLeavesNoTrace(stated, own, findings);
  const derived: ReadFacts = {
    ...stated,
    clusterId: clusterOf(stated, evidence, findings),
    halt: own === null ? stated.halt : haltOf(stated, own, findings),
    receivedLsn: receivedOf(stated, evidence, at, findings),
    applied: applied && at.position('inputs.position', applied),
    // A primary makes its WAL: it receives and validates none.
    validated: role === 'primary' ? null : validated && at.position('inputs.wal_validated', validated),
    inFlight: inFlight && {
      from: at.position('inputs.in_flight.from', inFlight.from),
      to: at.position('inputs.in_flight.to', inFlight.to),
    },
  };
  const view = viewOf(derived, evidence, findings);
  checkMoment(derived, findings);
  return { ...derived, view };
}

/** Whose history it is. A replica is bound to its cluster when it first meets its primary. */
function clusterOf({ clusterId }: ReadFacts, { own, history }: Evidence, findings: Findings): string | null {
  const found = own?.clusterId ?? history.beginning.chain.clusterId;
  if (clusterId === UNBOUND_CLUSTER && found !== UNBOUND_CLUSTER) {
    findings.cannotTell(
      'inputs.cluster_id',
      `the files are of cluster ${found}; when they became so does not show`,
    );
    return clusterId;
  }
  return found;
}

function sayWhatLeavesNoTrace(
  { applied, validated, receivedLsn }: ReadFacts,
  own: OwnFiles | null,
  findings: Findings,
): void {
  findings.leavesNoTrace('inputs.machine_state', 'the state of the chart at that moment');
  findings.leavesNoTrace('inputs.in_flight', 'whether a batch was on its way at that moment');
  const stoodAt = (path: string) =>
    findings.leavesNoTrace(path, 'that the node stood there at that moment, at a place that history has');
  if (applied !== null) stoodAt('inputs.position');
  if (validated !== null) stoodAt('inputs.wal_validated');
  if (receivedLsn !== null) stoodAt('inputs.wal_received_lsn');
  if (own !== null) return;
  findings.leavesNoTrace('inputs.role', 'only the files of the node itself say it');
  findings.leavesNoTrace('inputs.halt', 'only the files of the node itself say it');
}

/** Where received WAL ends. What is received and not proved may be anything; it has to be, or to have been, there. */
function receivedOf(
  { role, receivedLsn, validated, halt }: ReadFacts,
  { own, history: { end, stop, filesEndLsn, chains } }: Evidence,
  at: PositionsIn,
  findings: Findings,
): number | null {
  const path = 'inputs.wal_received_lsn';
  if (role === 'primary') return null;
  if (receivedLsn === null && validated !== null) findings.differs(path, null, 'what is proved was received');
  if (receivedLsn === null || chains.has(receivedLsn)) return receivedLsn;
  const isUnproved = validated !== null && receivedLsn > validated.lsn;
  // Files that end exactly there confirm it, whatever the bytes are.
  if (isUnproved && own !== null && receivedLsn === filesEndLsn) return receivedLsn;
  // Nothing behind the place where the proof stopped is history, but it was received all the same.
  const isBehindStop = isUnproved && stop !== null && receivedLsn > end.lsn;
  if (isBehindStop && receivedLsn === filesEndLsn) return receivedLsn;
  if (isBehindStop && receivedLsn < filesEndLsn)
    findings.cannotTell(path, `what was received behind LSN ${end.lsn} is not proved: ${stop.rule}`);
  else if (isUnproved && own?.discardedAt.some((lsn) => lsn >= validated.lsn && lsn < receivedLsn))
    findings.cannotTell(path, 'WAL that was received before it was discarded since');
  else if (isUnproved && own === null && halt !== null && receivedLsn < end.lsn)
    findings.cannotTell(path, 'the node halted, so what it had received may have been another WAL');
  else at.chainAt(path, receivedLsn);
  return receivedLsn;
}

/** States in which a halt is not recorded yet, or never will be. */
const BEFORE_RECORD = /^(halted\.(draining|preserving|recording|refusing)|failed in )/;

function haltOf(
  { halt: stated, state }: ReadFacts,
  { halt, clearedHalts }: OwnFiles,
  findings: Findings,
): HaltReason | null {
  const path = 'inputs.halt';
  const known = [halt, ...clearedHalts].filter((one) => one !== null);
  // What is kept aside is added to the evidence right before the record is written.
  const asStated = BEFORE_RECORD.test(state) ? [...known, ...known.map(withoutBytes)] : known;
  if (stated === halt || asStated.some((one) => sameHalt(stated, one))) return stated;
  if (stated === null)
    findings.cannotTell(path, `a halt is recorded now, ${halt?.code}; whether it came later does not show`);
  else if (halt === null && (BEFORE_RECORD.test(state) || stated.code === 'STORAGE_FAILED'))
    findings.cannotTell(path, 'there is no record of it; it may be one that could not be written');
  // Another one is recorded, or none: the comparison of the whole shows where they part.
  else return halt;
  return stated;
}

const FAILED_IN = 'failed in ';
/** States in which a batch is on its way into storage. */
const IN_FLIGHT = /\b(applying|replaying)\.(replaying|provingCheckpoint|finishing)\b/;

/** A moment leaves no trace, but not every combination of what is stated is a moment of the chart. */
function checkMoment(
  { role, state, halt, receivedLsn, applied, validated, inFlight }: ReadFacts,
  findings: Findings,
): void {
  const path = 'inputs.machine_state';
  const hasFailed = state.startsWith(FAILED_IN);
  const line = hasFailed ? state.slice(FAILED_IN.length) : state;
  if (!isConfiguration(role, line))
    findings.differs(path, state, `no configuration of the chart of a ${role}`);
  const top = /^\w*/.exec(line)?.[0] ?? '';
  // A chart that failed, halted or was stopped in the middle of a batch still says which.
  const rests = hasFailed || top === 'halted' || top === 'stopped';
  const isPossible = IN_FLIGHT.test(line) ? inFlight !== null : rests || inFlight === null;
  if (!isPossible || (role === 'primary' && inFlight !== null))
    findings.differs('inputs.in_flight', inFlight !== null, inFlight === null);
  if (top === 'halted' && halt === null) findings.differs(path, state, 'there is no halt');
  if (!rests && halt !== null) findings.differs(path, state, `halted by ${halt.code}`);
  const isAtWork = top === (role === 'primary' ? 'disabled' : 'replicating');
  const places = {
    position: applied,
    ...(role === 'replica' && { wal_validated: validated, wal_received_lsn: receivedLsn }),
  };
  for (const [name, place] of Object.entries(places))
    if (isAtWork && place === null)
      findings.differs(`inputs.${name}`, null, 'a node at work stands somewhere');
}

/** The view that was asked for is taken as it is stated; what history says of it is looked up. */
function viewOf(
  { applied, state, view }: ReadFacts,
  evidence: Evidence,
  findings: Findings,
): ReadFacts['view'] {
  const { token } = view;
  if (token !== null)
    return { commitId: token.position.commitId, token: tokenOf(token, applied, state, evidence, findings) };
  if (view.commitId === null && applied !== null) return { commitId: applied.commitId, token };
  return view;
}

type Token = NonNullable<ReadFacts['view']['token']>;

function tokenOf(
  token: Token,
  applied: ReadFacts['applied'],
  state: string,
  { own, history: { beginning, end, chains } }: Evidence,
  findings: Findings,
): Token {
  const { position } = token;
  const path = 'inputs.view_position.found';
  if (applied === null) return { position, found: 'not looked up', foundHash: null };
  if (position.lsn > applied.lsn || position.commitId > applied.commitId)
    return { position, found: 'ahead', foundHash: null };
  // A node that stops closes its files before all else, and looks nothing up any more.
  if (token.found === 'not looked up' && state.startsWith('stopped')) {
    findings.cannotTell(path, 'the files of the node may have been closed');
    return token;
  }
  const isBefore = position.lsn < beginning.chain.lsn;
  if (isBefore && own !== null && token.found === 'before what is kept') return token;
  if (isBefore || (own === null && token.found === 'before what is kept')) {
    findings.cannotTell(path, 'what the node kept then does not follow from these files');
    return token;
  }
  const chain = chains.get(position.lsn);
  if (chain === undefined && position.lsn > end.lsn) {
    findings.cannotTell(path, `history is proved to LSN ${end.lsn} only`);
    return token;
  }
  if (chain === undefined) return { position, found: 'not in history', foundHash: null };
  const isOurs = chain.historyHash === position.historyHash && position.commitId <= chain.commitId;
  return { position, found: isOurs ? 'in history' : 'not in history', foundHash: chain.historyHash };
}
