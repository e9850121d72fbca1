/**
 * What must come of every answer of an effect: the rule that it breaks, the code of a fault, or nothing. Written from the
 * failure matrix, not from the chart.
 */
import { matchesState } from 'xstate';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { RuleId } from '../../src/core/checks/check.ts';
import type { NodeContext } from '../context.ts';
import type { Moment } from './pure-chart.ts';

/** The rule or the code that a halt names; `null`: no halt. `undefined`: something else decides. */
export type Expectation = RuleId | ErrorCode | null | undefined;

type Expected = Expectation | ((context: NodeContext) => Expectation);

const otherCluster = ({ input }: NodeContext) =>
  input.clusterId === null ? null : 'P5-I1 clusterIsUnchanged';

/** A halt of an earlier run stays; a node without replication does not look at it, for it does nothing. */
const recordedHalt = ({ input }: NodeContext) =>
  input.role === 'replica' && input.replication === 'disabled' ? null : 'P5-I5 checksumMatches';

const ofSurvey = (effect: string): Readonly<Record<string, Expected>> => ({
  [`${effect}: checkpoint damaged`]: 'P5-I11 checkpointIsIntact',
  [`${effect}: WAL without a checkpoint`]: 'P5-I11 checkpointIsIntact',
  [`${effect}: base missing`]: 'P5-I8 baseIsInPlace',
  [`${effect}: base damaged`]: 'P5-I8 baseIsInPlace',
  [`${effect}: prefix broken`]: 'P5-I4 prefixIsProven',
  [`${effect}: hole between two files`]: 'P5-I4 prefixIsProven',
  [`${effect}: corrupt in the middle`]: 'P5-I11 tailIsTornAtMost',
});

const EXPECTED: Readonly<Record<string, Expected>> = {
  'readIdentity: absent, and data stands there': 'P5-I11 identityIsReadable',
  'readIdentity: damaged': 'P5-I11 identityIsReadable',
  'readIdentity: of another format': 'P5-I1 formatIsKnown',
  'readIdentity: of the other role': 'P5-I1 roleIsUnchanged',
  'readIdentity: of another cluster': otherCluster,
  'readIdentity: of another node': ({ input }) => (input.nodeId === null ? null : 'P5-I1 nodeIsUnchanged'),
  'readHaltRecord: recorded': recordedHalt,
  // In the product the record is what an earlier run wrote, and a rule of the world compares the two.
  'readHaltRecord: recorded by an earlier run': undefined,
  'meetPrimary: met, of another format': 'P5-I1 formatIsShared',
  'meetPrimary: met, of another cluster': ({ input }) =>
    input.clusterId === null ? null : 'P5-I1 primaryIsOfOurCluster',
  'meetPrimary: refused': 'P5-I10 primaryIsMet',
  'meetPrimary: unreachable': 'P5-I10 primaryIsMet',
  'attach: attached to another cluster': 'P5-I4 streamIsOurs',
  'attach: attached at another place': 'P5-I4 streamIsOurs',
  'attach: refused: diverged': 'P5-I4 historyIsThePrimarys',
  'attach: refused: no such position': 'P5-I4 historyIsThePrimarys',
  'receive: a gap between chunks': 'P5-I4 receivedIsInOrder',
  'receive: a unit at another place': 'P5-I4 receivedIsInOrder',
  'receive: a batch from elsewhere': 'P5-I4 receivedIsInOrder',
  'validate: units are gone': 'P5-I11 receivedIsStillThere',
  'validate: not framed': 'P5-I5 unitIsFramed',
  'validate: checksum does not match': 'P5-I5 checksumMatches',
  'validate: of another cluster': 'P5-I4 clusterIsOurs',
  'validate: at another place': 'P5-I4 unitIsInOrder',
  'validate: of another history': 'P5-I4 historyIsContinuous',
  'validate: commit ids are not dense': 'P5-I6 commitIdsAreDense',
  'validate: payload is malformed': 'P5-I5 payloadIsWellFormed',
  // Found when the piece is to be applied, and not before.
  'validate: a piece that does not follow': undefined,
  'validate: an end before what was proven': undefined,
  'apply: with a checkpoint elsewhere': 'P5-I6 appliedIsAsProven',
  'fetchSnapshot: a damaged manifest': 'P5-I8 manifestIsIntact',
  'fetchSnapshot: of another cluster': 'P5-I8 snapshotIsOfOurCluster',
  'fetchSnapshot: a damaged block': 'P5-I8 blocksAreIntact',
  'verifySnapshot: of another state': 'P5-I8 baseIsWhole',
  'probeResume: resumes elsewhere': 'P5-I9 walResumesAtTheCut',
  'probeResume: refused: pruned': 'P5-I9 walResumesAtTheCut',
  'probeResume: refused: diverged': 'P5-I9 walResumesAtTheCut',
  'installSnapshot: with a checkpoint elsewhere': 'P5-I8 installedIsTheCut',
  ...ofSurvey('surveyReplica'),
  ...ofSurvey('surveyDisk'),
};

export function expectationOf(move: string, { value, context }: Moment): Expectation {
  // A node that is being stopped looks at nothing any more.
  if (matchesState('stopped', value)) return null;
  if (move === 'storage.failed') return 'STORAGE_FAILED';
  const fails = /^(\w+) fails$/.exec(move);
  if (fails !== null) return 'STORAGE_FAILED';
  const expected = EXPECTED[move];
  if (typeof expected === 'function') return expected(context);
  return move in EXPECTED ? expected : null;
}
