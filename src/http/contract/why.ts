import * as z from 'zod';
import { explanationShape, ruleShape } from '../../core/explain/explanation.ts';
import { endpoint } from './endpoint.ts';
import {
  enveloped,
  halt,
  invariantId,
  lsn,
  machineState,
  oneView,
  position,
  queryFlag,
  replicaState,
  viewQuery,
} from './shapes.ts';

const stateNode = z.object({
  id: z.string(),
  path: z.string(),
  parent: z.string().nullable(),
  type: z.enum(['atomic', 'compound', 'parallel', 'final']),
  description: z.string(),
  invariants: z.array(z.string()),
  invokes: z.array(z.object({ id: z.string(), src: z.string() })),
  initial: z.string().nullable(),
});
const transition = z.object({
  id: z.string(),
  source: z.string(),
  event: z.string(),
  guard: z.string().nullable(),
  invariant: z.string().nullable(),
  targets: z.array(z.string()),
  actions: z.array(z.string()),
  description: z.string().nullable(),
  invariants: z.array(z.string()),
});
const candidate = z.object({
  transition: z.string(),
  source: z.string(),
  event: z.string(),
  targets: z.array(z.string()),
  guard: z.string().nullable(),
  verdict: ruleShape.nullable().meta({ description: 'null where the transition has no guard.' }),
  allowed: z.boolean(),
});

export const getMachine = endpoint({
  method: 'GET',
  path: '/v1/machine',
  plane: 'dx',
  summary: 'The chart, its current state, and every candidate transition with the verdict of its guard',
  query: z.strictObject({
    chart: queryFlag
      .optional()
      .meta({ description: '0 leaves the chart out: it never changes while a node runs.' }),
  }),
  answer: enveloped(
    z
      .object({
        chart_id: z.enum(['node', 'primary']),
        machine_state: machineState,
        replica_state: replicaState,
        status: z.enum(['active', 'done', 'error', 'stopped']),
        candidates: z.array(candidate),
        chart: z
          .object({
            id: z.string(),
            description: z.string(),
            initial: z.string().nullable(),
            states: z.array(stateNode),
            transitions: z.array(transition),
          })
          .nullable(),
      })
      .meta({ id: 'Machine' }),
  ),
});

const positions = z.object({
  received_lsn: lsn.nullable(),
  validated: position.nullable(),
  applied: position.nullable(),
  primary_durable: position.nullable(),
});
/** One transition of a node's chart, as it is logged and as `/v1/events` sends it. */
export const transitionEvent = z
  .object({
    sequence: z.int().meta({ description: 'From 1 on, without a gap, within one run of a node.' }),
    from: z.string(),
    to: z.string(),
    event: z.string(),
    transitions: z
      .array(z.string())
      .meta({ description: 'Ids of the transitions that were taken, as `/v1/machine` has them.' }),
    verdicts: z.array(
      z.object({
        rule_id: z.string(),
        invariant: invariantId,
        evaluation: z.enum(['holds', 'violated', 'undetermined']),
        evidence: z.record(z.string(), z.unknown()),
      }),
    ),
    positions,
    halt: halt.nullable(),
  })
  .meta({ id: 'Transition', description: 'The data of a `transition` event.' });
/** Transitions that a follower asked for and that are no longer kept. */
export const missedEvent = z.object({ run_id: z.string(), missed_before: z.int(), reason: z.string() }).meta({
  id: 'Missed',
  description: 'The data of a `missed` event: transitions that can no longer be sent.',
});

export const getEvents = endpoint({
  method: 'GET',
  path: '/v1/events',
  plane: 'dx',
  summary: 'Transitions as they happen: server-sent events with resumable ids',
  description:
    'An event `transition` a transition, its id RUN:SEQUENCE; the `Last-Event-ID` header (or `last_event_id`) resumes after it. What a follower asked for and can no longer have is told by an event `missed`, never left out in silence. `follow=0` ends after what is kept.',
  query: z.strictObject({
    last_event_id: z
      .string()
      .regex(/^[0-9a-f-]{36}:\d{1,15}$/, 'must be RUN:SEQUENCE')
      .optional(),
    follow: queryFlag.optional(),
  }),
  answer: z.string(),
  contentType: 'text/event-stream',
});

const explained = enveloped(explanationShape);

export const explainReplication = endpoint({
  method: 'GET',
  path: '/v1/explain/replication',
  plane: 'dx',
  summary: 'Whether a read of a view is safe now, rule by rule',
  query: z.strictObject(viewQuery).refine(...oneView),
  answer: explained,
  refusals: ['WAL_CORRUPT'],
});

export const explainRecovery = endpoint({
  method: 'GET',
  path: '/v1/explain/recovery',
  plane: 'dx',
  summary: 'How the last start recovered: what the disk showed, every rule, what was decided and discarded',
  answer: explained,
});

export const explainRead = endpoint({
  method: 'GET',
  path: '/v1/explain/read',
  plane: 'dx',
  summary:
    'Which version of a document a view sees, and why: the rules of the gate and the chain of versions',
  query: z
    .strictObject({
      collection: z.string().optional(),
      collection_base64: z.base64('must be base64').optional(),
      id: z.string().optional(),
      id_base64: z.base64('must be base64').optional(),
      ...viewQuery,
    })
    .refine(...oneView)
    .refine(
      ({ collection, collection_base64: base64 }) => (collection === undefined) !== (base64 === undefined),
      'collection is required, as text or as collection_base64',
    )
    .refine(
      ({ id, id_base64: base64 }) => (id === undefined) !== (base64 === undefined),
      'id is required, as text or as id_base64',
    ),
  answer: explained,
  refusals: ['WAL_CORRUPT'],
});
