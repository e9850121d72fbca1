import type { JsonObject } from '../core/bytes.ts';
import { UNIT_IS_WHOLE, type DiskSurvey, type StopEvidence } from '../core/recovery/survey.ts';
import { UNBOUND_CLUSTER } from '../core/identity.ts';
import { genesisChain, type ChainState } from '../core/wal/chain.ts';
import { segmentFileName } from '../core/wal/segment-header.ts';
import { differencesOf } from './difference.ts';
import type { Evidence } from './evidence.ts';
import type { Findings } from './findings.ts';
import { PositionsIn } from './positions.ts';

const AT = 'inputs.survey';

/** What a start found on disk, as the files still show it. */
export function deriveSurvey(stated: DiskSurvey, evidence: Evidence, findings: Findings): DiskSurvey {
  findings.leavesNoTrace(`${AT}.checkpoint`, 'where the checkpoint stood at that start');
  findings.leavesNoTrace(`${AT}.partials`, 'what an interrupted start had left');
  const isLost = stated.prefix.state === 'broken' || stated.wal.discontinuity !== null;
  const at = new PositionsIn(evidence, findings, isLost);
  const chainOf = (path: string, chain: ChainState) => at.chainAt(path, chain.lsn) ?? chain;
  const checkpoint = checkpointOf(stated, evidence, at, findings);
  const { prefix } = stated;
  if (prefix.state === 'broken') {
    checkBroken(stated, evidence, findings);
    return { ...stated, checkpoint, tail: { provenTo: null, stop: null, validUnitAfterLsn: null } };
  }
  const checkpointLsn = checkpoint.state === 'intact' ? checkpoint.value.lsn : 0;
  const tail = tailOf(stated, chainOf, findings);
  if (tail.provenTo !== null && tail.provenTo.lsn < checkpointLsn)
    findings.differs(`${AT}.tail.proven_to.lsn`, tail.provenTo.lsn, 'the tail begins at the checkpoint');
  return {
    checkpoint,
    wal: walOf(stated, tail, evidence, findings),
    base: baseOf({ ...stated, checkpoint }, evidence, findings),
    partials: stated.partials,
    prefix: {
      state: 'proven',
      chain: chainOf(`${AT}.prefix.chain`, { ...prefix.chain, lsn: checkpointLsn }),
    },
    tail,
  };
}

function checkpointOf(
  { checkpoint, prefix, wal }: DiskSurvey,
  { own, history }: Evidence,
  at: PositionsIn,
  findings: Findings,
): DiskSurvey['checkpoint'] {
  if (checkpoint.state !== 'intact') return checkpoint;
  const { value } = checkpoint;
  const path = `${AT}.checkpoint.value`;
  // Where the WAL broke a rule before the checkpoint, history does not reach it any more.
  if (prefix.state === 'broken' && history.stop !== null && value.lsn > history.end.lsn) return checkpoint;
  const position = at.position(path, value);
  const segmentIndex = history.chains.get(value.lsn)?.segmentIndex ?? value.segmentIndex;
  if (own === null)
    findings.leavesNoTrace(`${path}.snapshot_cut`, 'whether the node had begun with a snapshot');
  const snapshotCut =
    own === null || isPrunedSince(value.snapshotCut, wal.startLsn, { own, history })
      ? value.snapshotCut
      : cutOf(history);
  if (own !== null && snapshotCut < cutOf(history))
    findings.leavesNoTrace(`${path}.snapshot_cut`, 'what the node held before it was pruned');
  return { state: 'intact', value: { ...position, segmentIndex, snapshotCut } };
}

/** The cut of the base file at which history begins; 0: it begins with its first byte. */
function cutOf({ beginning }: Evidence['history']): number {
  return beginning.hashFrom === 'base file' ? beginning.chain.commitId : 0;
}

/** Whether the node's own files begin with a later cut than they did. */
function isPrunedSince(statedCut: number, statedStartLsn: number, { own, history }: Evidence): boolean {
  const began = statedCut === 0 ? statedStartLsn === 0 : statedStartLsn < history.beginning.chain.lsn;
  return own !== null && statedCut < cutOf(history) && began;
}

/** The files may have been put right since; what still breaks the same rule is the same. */
function checkBroken({ prefix }: DiskSurvey, { history: { stop } }: Evidence, findings: Findings): void {
  const path = `${AT}.prefix.evidence.stop`;
  const stated = prefix.state === 'broken' ? prefix.evidence['stop'] : undefined;
  if (stop === null || stated === undefined)
    findings.cannotTell(`${AT}.prefix`, 'these files do not show now what was broken then');
  else if (stop.lsn === (stated as { readonly lsn?: unknown } | null)?.lsn)
    findings.differences.push(...differencesOf(stated, { ...stop }, path));
  else findings.cannotTell(path, `history is proved to LSN ${stop.lsn} now`);
}

function tailOf(
  { tail: { provenTo: statedTo, stop, validUnitAfterLsn }, wal }: DiskSurvey,
  chainOf: (path: string, chain: ChainState) => ChainState,
  findings: Findings,
): DiskSurvey['tail'] {
  const path = `${AT}.tail`;
  const provenTo = statedTo && chainOf(`${path}.proven_to`, statedTo);
  if (provenTo === null) findings.differs(`${path}.proven_to`, null, 'a proof of WAL ends somewhere');
  if (provenTo === null || stop === null) return { provenTo, stop: null, validUnitAfterLsn: null };
  findings.leavesNoTrace(`${path}.valid_unit_after_lsn`, 'what stood behind what was discarded');
  findings.leavesNoTrace(`${path}.stop`, 'how the bytes that were discarded ended, where they were not kept');
  const { lsn, segmentStartLsn } = provenTo;
  const place = { lsn, file: segmentFileName(segmentStartLsn), byte: lsn - segmentStartLsn };
  // Where two files do not join the proof ends at the hole, and what stands behind it is not available to it.
  const isAllThatIsLeft = stop.kind === 'torn' && validUnitAfterLsn === null && wal.discontinuity === null;
  const derived = isAllThatIsLeft ? tornStop(stop, wal.endLsn - lsn) : stop;
  return { provenTo, stop: { ...derived, ...place }, validUnitAfterLsn };
}

/** A unit that the end of the files cuts off; how long it was to be, only its own first bytes said. */
function tornStop(stop: StopEvidence, availableBytes: number): StopEvidence {
  const { unit_bytes: stated } = (stop.evidence['expected'] ?? {}) as JsonObject;
  const isLonger = Number.isSafeInteger(stated) && (stated as number) > availableBytes;
  const evidence = {
    expected: { unit_bytes: isLonger ? (stated as number) : null },
    found: { bytes_available: availableBytes },
  };
  return { ...stop, rule: UNIT_IS_WHOLE, evidence };
}

function walOf(
  { wal, checkpoint }: DiskSurvey,
  { provenTo, stop }: DiskSurvey['tail'],
  evidence: Evidence,
  findings: Findings,
): DiskSurvey['wal'] {
  const {
    own,
    history: { beginning },
  } = evidence;
  const path = `${AT}.wal`;
  if (wal.discontinuity !== null) {
    findings.cannotTell(`${path}.discontinuity`, 'these files do not show now what was missing then');
    return wal;
  }
  const isPruned =
    checkpoint.state === 'intact' && isPrunedSince(checkpoint.value.snapshotCut, wal.startLsn, evidence);
  const startLsn = startOf(wal.startLsn, checkpoint, own === null || isPruned ? null : beginning.chain);
  if (startLsn === null)
    findings.leavesNoTrace(`${path}.start_lsn`, 'where the WAL of a node that began with a snapshot begins');
  if (stop !== null) findings.leavesNoTrace(path, 'how much was discarded');
  if (stop !== null || provenTo === null) return { ...wal, startLsn: startLsn ?? wal.startLsn };
  if (provenTo.expects === 'segment header')
    findings.leavesNoTrace(`${path}.segments`, 'whether the next segment file was there, and empty');
  const first = [beginning.chain, genesis].find(({ lsn }) => lsn === startLsn);
  return {
    segments: first === undefined ? wal.segments : segmentsOf(wal.segments, first, provenTo),
    startLsn: startLsn ?? wal.startLsn,
    endLsn: provenTo.lsn,
    discontinuity: null,
  };
}

const genesis = genesisChain(UNBOUND_CLUSTER);

/** A node without a checkpoint holds nothing yet, and one without a base file holds all; `null`: not known. */
function startOf(
  stated: number,
  checkpoint: DiskSurvey['checkpoint'],
  own: ChainState | null,
): number | null {
  if (checkpoint.state === 'damaged') return stated;
  if (checkpoint.state === 'absent' || checkpoint.value.snapshotCut === 0) return 0;
  return own?.lsn ?? null;
}

/** Of a segment that was just begun the file may be there, and empty. */
function segmentsOf(stated: number, first: ChainState, to: ChainState): number {
  const begun = to.segmentIndex - first.segmentIndex;
  if (to.expects === 'frame') return begun + 1;
  return stated === begun + 1 ? stated : begun;
}

function baseOf({ base, checkpoint, wal }: DiskSurvey, { own, history }: Evidence, findings: Findings) {
  const cut = checkpoint.state === 'intact' ? checkpoint.value.snapshotCut : 0;
  if (cut === 0) return { state: 'not needed', cutCommitId: null } as const;
  if (own === null) {
    findings.leavesNoTrace(`${AT}.base`, 'only the files of the node itself say it');
    return { ...base, cutCommitId: cut };
  }
  if (isPrunedSince(cut, wal.startLsn, { own, history })) {
    findings.leavesNoTrace(`${AT}.base`, 'the base file before the one that is there now');
    return { ...base, cutCommitId: cut };
  }
  const isThere = cutOf(history) === cut;
  if (isThere && base.state !== 'intact' && base.cutCommitId === cut) {
    findings.cannotTell(`${AT}.base`, 'the base file is in place now');
    return base;
  }
  return { state: isThere ? 'intact' : base.state, cutCommitId: cut } as const;
}
