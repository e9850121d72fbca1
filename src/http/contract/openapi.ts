import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi';
import { ERRORS, type ErrorCode } from '../../core/errors.ts';
import { commonRefusals, type Endpoint } from './endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from './endpoints.ts';
import { problem } from './shapes.ts';
import { missedEvent, transitionEvent } from './why.ts';

/** The interface description (OpenAPI 3.1) of the endpoints named: made from the schemas that the server answers by. */
export function openApi(names: readonly EndpointName[] = ENDPOINT_NAMES): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const name of names) {
    const endpoint: Endpoint = ENDPOINTS[name];
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operationOf(name, endpoint) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Replichart node',
      version: 'v1',
      description:
        'A WAL replication engine: a replica may lag, it may never lie. The DX plane is read-only and deterministic: the same state gives the same bytes.',
    },
    paths,
    components: {
      schemas: { Transition: transitionEvent, Missed: missedEvent, Problem: problem },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'One token a plane.' } },
    },
  });
}

function operationOf(name: EndpointName, endpoint: Endpoint): ZodOpenApiOperationObject {
  const { summary, description, plane, open, params, query, body, answer, statuses, contentType } = endpoint;
  return {
    operationId: name,
    tags: [plane],
    summary,
    ...(description === '' ? {} : { description }),
    ...(open ? {} : { security: [{ token: [] }, {}] }),
    requestParams: { path: params, query },
    ...(body.type === 'undefined'
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: {
      ...Object.fromEntries(
        statuses.map((status) => [
          status,
          {
            description: STATUS_TEXT[status] ?? 'An answer.',
            content: { [contentType]: { schema: answer } },
          },
        ]),
      ),
      ...refusalsOf(endpoint),
    },
  };
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  200: 'The answer.',
  201: 'It was made.',
  404: 'The view sees no such document.',
  503: 'Not ready.',
};

/** Refusals by status; where an answer has the same status both bodies are possible, and the description says so. */
function refusalsOf(endpoint: Endpoint) {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...commonRefusals(endpoint), ...endpoint.refusals])) {
    const { status } = ERRORS[code];
    if (!endpoint.statuses.includes(status)) byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `${code}: ${ERRORS[code].meaning}`).join(' '),
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );
}
