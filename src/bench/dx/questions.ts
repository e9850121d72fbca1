import type { Endpoint } from '../../http/contract/endpoint.ts';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from '../../http/contract/endpoints.ts';
import { COLLECTION, documentKey } from '../w1.ts';

/** One address that is asked again and again. */
export interface Question {
  readonly name: string;
  readonly path: string;
  readonly endpoint: Endpoint;
}

interface Variant {
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
}

const PLAIN: readonly Variant[] = [{ name: '', query: {} }];

/** What is asked of an endpoint, where that is more than its bare path. `digest_at` reads everything: it is not asked. */
const VARIANTS: Partial<Record<EndpointName, readonly Variant[]>> = {
  getWal: [...PLAIN, { name: 'a page', query: { after: '0', limit: '10' } }],
  getMachine: [...PLAIN, { name: 'without chart', query: { chart: '0' } }],
  explainRead: [
    { name: 'a document', query: { collection: COLLECTION, id: documentKey(0) } },
    { name: 'no document', query: { collection: COLLECTION, id: 'nobody' } },
  ],
};

/** Beside the DX endpoints that answer JSON; what is a stream has no time of its answer. */
const ASKED_TOO: readonly EndpointName[] = ['getReadyz', 'getMetrics'];

/** Every question of the workload: an endpoint that is new on the DX plane is asked without a word here. */
export const QUESTIONS: readonly Question[] = ENDPOINT_NAMES.filter(isAsked).flatMap((name) => {
  const endpoint: Endpoint = ENDPOINTS[name];
  return (VARIANTS[name] ?? PLAIN).map(({ name: variant, query }) => {
    const text = new URLSearchParams(query).toString();
    return {
      name: variant === '' ? endpoint.path : `${endpoint.path} (${variant})`,
      path: text === '' ? endpoint.path : `${endpoint.path}?${text}`,
      endpoint,
    };
  });
});

function isAsked(name: EndpointName): boolean {
  const { method, plane, contentType }: Endpoint = ENDPOINTS[name];
  const isJsonOfDx = method === 'GET' && plane === 'dx' && contentType === 'application/json';
  return isJsonOfDx || ASKED_TOO.includes(name);
}
