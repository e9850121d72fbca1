import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { pipeline } from 'node:stream';
import { request } from 'undici';
import { ENDPOINTS } from '../http/contract/endpoints.ts';
import { headersSet } from '../http/headers-set.ts';
import { NODES, type Fleet, type NodeName } from './fleet.ts';

/** What of a request is passed on, and what of an answer: the rest concerns one connection, or nobody. */
const ASKED_HEADERS = ['accept', 'last-event-id'] as const;
const ANSWERED_HEADERS = ['content-type', 'cache-control', 'x-request-id'] as const;

/**
 * Serves the DX planes of the nodes below `/nodes/NAME`, so that one page sees them all from one origin. Only the
 * addresses of the contract's DX plane are passed on, only for reading; every answer is the node's own, as a stream.
 */
export function proxyNodes(app: FastifyInstance, fleet: Fleet): void {
  const readable = Object.values(ENDPOINTS).filter(
    ({ open, plane, method }) => !open && plane === 'dx' && method === 'GET',
  );
  for (const { path } of readable)
    app.get<{ Params: { node: string } }>(`/nodes/:node${path}`, { exposeHeadRoute: false }, (asked, reply) =>
      passOn(fleet, asked, reply, path),
    );
}

async function passOn(
  fleet: Fleet,
  { params, headers, raw }: FastifyRequest<{ Params: { node: string } }>,
  reply: FastifyReply,
  path: string,
): Promise<FastifyReply> {
  const name = NODES.find((one): one is NodeName => one === params.node);
  if (name === undefined)
    return reply.code(404).send({ error: { message: `there is no node ${JSON.stringify(params.node)}` } });
  if (!fleet.nodes.includes(name))
    return reply.code(502).send({ error: { message: `${name} cannot be asked: it was not started yet` } });
  const query = raw.url?.includes('?') === true ? raw.url.slice(raw.url.indexOf('?')) : '';
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  let answer;
  try {
    answer = await request(new URL(`${path}${query}`, fleet.of(name).url), {
      headers: chosen(ASKED_HEADERS, headers),
      signal: gone.signal,
      // A stream of events says nothing for as long as nothing happens.
      bodyTimeout: 0,
    });
  } catch (error) {
    if (gone.signal.aborted) return reply.hijack();
    const why = fleet.isRunning(name) ? `it gives no answer: ${String(error)}` : 'it does not run';
    return reply.code(502).send({ error: { message: `${name} cannot be asked: ${why}` } });
  }
  reply.hijack();
  reply.raw.writeHead(answer.statusCode, {
    ...headersSet(reply),
    ...chosen(ANSWERED_HEADERS, answer.headers),
  });
  reply.raw.flushHeaders();
  // A node that ends takes its stream along, as it does without a proxy.
  pipeline(answer.body, reply.raw, () => reply.raw.destroy());
  return reply;
}

function chosen(
  names: readonly string[],
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = {};
  for (const name of names) {
    const value = headers[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
