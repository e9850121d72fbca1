/** Who a node is, and what it may become: P5-I1, P5-I6 and P5-I16. */
import { UNBOUND_CLUSTER } from '../../../src/core/identity.ts';
import { always, is, rule, type Rule } from './rule.ts';

export const ROLE_RULES: readonly Rule[] = [
  always(
    'P5-I1',
    'Only a node that knows who it is does anything.',
    (moment) =>
      moment.context.identity === null &&
      !['initializing', 'halted', 'stopped'].some((state) => is(moment, state)),
  ),
  rule('P5-I8', 'A node begins with a snapshot exactly where recovery found nothing and one was asked for.', {
    ofStep: ({ before, after }) => {
      if (!is(before, { recovering: 'routing' })) return null;
      const asked = before.context.plan?.outcome === 'bootstrap';
      return asked === is(after, 'bootstrapping')
        ? null
        : `the plan was ${String(before.context.plan?.outcome)}`;
    },
  }),
  rule('P5-I16', 'A node without replication does no replica work, and one with it does.', {
    ofStep: ({ before, after }) => {
      const { role, replication } = after.context.input;
      if (role === 'primary') return null;
      const wrong =
        replication === 'disabled'
          ? ['recovering', 'bootstrapping', 'replicating'].some((state) => is(after, state)) ||
            is(after, { initializing: 'meetingPrimary' })
          : is(after, 'disabled');
      return wrong ? `replication is ${replication}; from ${JSON.stringify(before.value)}` : null;
    },
  }),
  rule('P5-I1', 'A node never becomes another one.', {
    ofStep: ({ before, after }) => {
      const [was, now] = [before.context.identity, after.context.identity];
      if (was === null || was === now) return null;
      return now !== null && was.nodeId === now.nodeId && was.role === now.role
        ? null
        : `${was.nodeId} became ${String(now?.nodeId)}`;
    },
  }),
  rule(
    'P5-I1',
    'A directory is claimed once, and once more where a replica learns its cluster from a primary.',
    {
      ofStep: ({ before, after }) => {
        const claiming = { initializing: 'claiming' };
        const { identity, meeting } = after.context;
        if (is(before, claiming) || !is(after, claiming) || identity === null) return null;
        return identity.clusterId === UNBOUND_CLUSTER && meeting?.kind === 'met'
          ? null
          : `it belongs to ${identity.clusterId}`;
      },
    },
  ),
  rule(
    'P5-I6',
    'A replica that may follow a primary learns from it which cluster it is of, before it claims anything.',
    {
      ofStep: ({ before, after }) =>
        is(after, { initializing: 'claiming' }) &&
        after.context.input.role === 'replica' &&
        after.context.input.replication === 'enabled' &&
        after.context.meeting?.kind !== 'met'
          ? `claimed from ${JSON.stringify(before.value)}`
          : null,
    },
  ),
];
