import * as z from 'zod';
import { endpoint } from './endpoint.ts';

export const getPage = endpoint({
  method: 'GET',
  path: '/',
  plane: 'dx',
  open: true,
  summary: 'A page for people: the chart of this node, live, and why it may do what',
  description:
    'One file that asks for nothing from outside and holds no data; what it shows it reads from `/v1`, with a token where the node asks for one. Its addresses are relative.',
  query: z.strictObject({
    node: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .meta({
        description: 'NAME=URL of another node to show beside it; read by the page, can be given again.',
      }),
  }),
  answer: z.string(),
  contentType: 'text/html; charset=utf-8',
});

export const getPageChart = endpoint({
  method: 'GET',
  path: '/page/charts/:name',
  plane: 'dx',
  open: true,
  summary: 'A drawing of a chart for the page, as `replichart machine --format svg` prints it',
  params: z.object({ name: z.string() }),
  answer: z.string(),
  contentType: 'image/svg+xml',
  refusals: ['NOT_FOUND'],
});
