import type { FastifyReply } from 'fastify';

/** The headers that hooks have set on a reply which a handler now writes by itself: the id of the request above all. */
export function headersSet(reply: FastifyReply): Record<string, string | number | string[]> {
  const headers: Record<string, string | number | string[]> = {};
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) headers[name] = value;
  return headers;
}
