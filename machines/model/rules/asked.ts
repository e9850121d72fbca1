/**
 * What an effect is asked when it begins: P5-I1, P5-I4, P5-I5, P5-I6, P5-I8, P5-I9, P5-I11 and P5-I15. The answers of the
 * model are made from the question, so that a wrong question has good answers: it is looked at itself.
 */
import { canonicalJson } from '../../../src/core/flight/canonical-json.ts';
import type { InvariantId } from '../../../src/core/invariants.ts';
import type { NodeContext } from '../../context.ts';
import type { Running } from '../pure-chart.ts';
import { rule, type Rule } from './rule.ts';

type Question = Readonly<Record<string, unknown>> | null;

/** What each of some effects must be asked, by what the node knows when it begins: that, all of it, and nothing else. */
type Questions = Readonly<Record<string, (context: NodeContext) => Question>>;

/** An effect begins only with the question that it is there for. */
function asked(invariant: InvariantId, says: string, questions: Questions): Rule {
  return rule(invariant, says, {
    ofRest: ({ snapshot, begun }) => {
      for (const { src, input } of begun) {
        const due = questions[src]?.(snapshot.context as NodeContext);
        const wrong = due === undefined ? null : difference(input as Question, due);
        if (wrong !== null) return `${src} is asked for ${wrong}`;
      }
      return null;
    },
  });
}

/** The first field, by its name, in which two questions differ. */
function difference(found: Question, due: Question): string | null {
  for (const name of Object.keys({ ...found, ...due }).sort()) {
    const [is, must] = [saying(found?.[name]), saying(due?.[name])];
    if (is !== must) return `${name} ${is}, and not ${must}`;
  }
  return null;
}

const saying = (value: unknown): string => (value === undefined ? 'nothing' : canonicalJson(value));

const fetchedSnapshot = ({ fetched }: NodeContext) =>
  fetched?.kind === 'fetched' ? { ...fetched.snapshot } : null;
const reasonOfHalt = ({ halt }: NodeContext) => halt && { ...halt };

export const ASKED_RULES: readonly Rule[] = [
  rule('P5-I1', 'Whatever is asked of a cluster is asked of the one that this node is of.', {
    ofRest: ({ snapshot, begun }) => {
      const { repair, identity } = snapshot.context as NodeContext;
      // Recovery goes by the cluster that it found the WAL to be of.
      const own = repair?.resume?.validated.clusterId ?? identity?.clusterId;
      const foreign = begun.find((effect) => isAskedOfACluster(effect) && clusterAsked(effect) !== own);
      return foreign === undefined
        ? null
        : `${foreign.src} is asked of ${String(clusterAsked(foreign))}, and the node is of ${String(own)}`;
    },
  }),
  asked(
    'P5-I4',
    'A stream is asked for where the proven WAL ends, and goes on where the received WAL ends.',
    {
      attach: ({ validated }) => validated && { ...validated },
      receive: ({ receivedLsn }) => ({ expectedLsn: receivedLsn }),
      persist: ({ receivedLsn }) => ({ fromLsn: receivedLsn }),
    },
  ),
  asked('P5-I5', 'The validator is asked for what was received and is not proven, and for nothing beyond.', {
    validate: ({ validated, receivedLsn }) => ({ from: validated, receivedLsn }),
  }),
  asked('P5-I6', 'An identity is claimed as configured, and for the cluster of the primary that was met.', {
    claimIdentity: ({ input, identity, meeting }) => ({
      ...input,
      clusterId: meeting?.kind === 'met' ? meeting.primary.clusterId : input.clusterId,
      nodeId: identity === null ? input.nodeId : identity.nodeId,
    }),
  }),
  asked('P5-I8', 'The snapshot that was fetched is the one that is verified and installed.', {
    verifySnapshot: fetchedSnapshot,
    installSnapshot: fetchedSnapshot,
  }),
  asked('P5-I9', 'A primary is asked how its WAL goes on at the cut of the snapshot that was fetched.', {
    probeResume: (context) => ({
      clusterId: context.identity?.clusterId,
      snapshot: fetchedSnapshot(context),
    }),
  }),
  asked(
    'P5-I11',
    'A batch is applied on the checkpoint of the index, and files are repaired as they were found.',
    {
      apply: ({ applied }) => ({ applied }),
      repairReplica: ({ plan, survey }) => ({ plan, survey }),
      repairPrimary: ({ survey }) => survey && { ...survey },
    },
  ),
  asked('P5-I15', 'The reason of a halt is kept and recorded whole, with all its evidence.', {
    keepEvidence: reasonOfHalt,
    writeHaltRecord: reasonOfHalt,
  }),
];

const OF_A_CLUSTER: readonly string[] = ['fetchSnapshot', 'probeResume', 'attach', 'validate'];

const isAskedOfACluster = ({ src }: Running) => OF_A_CLUSTER.includes(src);

function clusterAsked({ src, input }: Running): unknown {
  const question = input as Question;
  return (src === 'validate' ? (question?.['from'] as Question) : question)?.['clusterId'];
}
