/** The endpoints as a document for people, and as OpenAPI: both from the schemas that nodes answer by. */
import { commonRefusals, type Endpoint } from '../src/http/contract/endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS } from '../src/http/contract/endpoints.ts';
import { openApi } from '../src/http/contract/openapi.ts';

const PLANES: Readonly<Record<Endpoint['plane'], string>> = {
  health: 'Health: for supervisors and load balancers',
  dx: 'DX: the read-only view of a node; left out with `dx: "disabled"`',
  data: 'Data: reads and writes of documents',
  replication: 'Replication: what a primary serves to replicas',
};

export function httpDocument(): string {
  return [
    '# HTTP interface',
    '',
    'Written by `npm run generate` from `src/http/contract`; `npm run check:generated` fails when it is out of date.',
    'A node describes itself at `/openapi.json`; [openapi.json](openapi.json) is that of a primary. Shapes and examples of',
    'the replication and data planes: [FORMAT.md](../FORMAT.md); error codes: [ERRORS.md](../ERRORS.md).',
    '',
    'Each plane may have a bearer token of its own. The answers of the DX plane have no timestamps and a fixed order of',
    'fields: the same state gives the same bytes, on the node and after its restart. What is not known is `null`.',
    '',
    ...(Object.keys(PLANES) as Endpoint['plane'][]).flatMap(plane),
  ].join('\n');
}

export function openApiDocument(): string {
  return `${JSON.stringify(openApi(), null, 2)}\n`;
}

function plane(name: Endpoint['plane']): string[] {
  const endpoints = ENDPOINT_NAMES.map((one): Endpoint => ENDPOINTS[one]).filter((one) => one.plane === name);
  return [`## ${PLANES[name]}`, '', ...endpoints.flatMap(entry)];
}

function entry(endpoint: Endpoint): string[] {
  const { method, path, summary, description, statuses, contentType, refusals, query } = endpoint;
  const parameters = Object.keys(query.shape).map((name) => `\`${name}\``);
  const codes = [...new Set([...commonRefusals(endpoint), ...refusals])];
  return [
    `### ${method} ${path}`,
    '',
    `${summary}.${description === '' ? '' : ` ${description}`}`,
    '',
    ...(parameters.length === 0 ? [] : [`- Query: ${parameters.join(', ')}`]),
    `- Answer: ${statuses.join(' or ')}, \`${contentType}\``,
    ...(codes.length === 0 ? [] : [`- Refusals: ${codes.map((code) => `\`${code}\``).join(', ')}`]),
    '',
  ];
}
