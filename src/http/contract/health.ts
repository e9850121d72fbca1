import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { queryFlag } from './shapes.ts';

export const getLivez = endpoint({
  method: 'GET',
  path: '/livez',
  plane: 'health',
  open: true,
  summary: 'Whether the process serves at all',
  description: 'Never asks for a token.',
  answer: z.object({ status: z.literal('ok') }),
});

export const getReadyz = endpoint({
  method: 'GET',
  path: '/readyz',
  plane: 'health',
  summary: 'Whether reads are safe now',
  description:
    '503 with the rules that do not hold unless reads are safe. `verbose` answers in text/plain, one line a check. An application in flight only defers a read.',
  query: z.strictObject({ verbose: queryFlag.optional() }),
  answer: z.object({ ready: z.boolean(), reasons: z.array(z.string()) }),
  statuses: [200, 503],
  refusals: ['UNAUTHORIZED'],
});
