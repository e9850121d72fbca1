import { readFileSync } from 'node:fs';
import { request, type Dispatcher } from 'undici';
import type * as z from 'zod';
import { errorText, ReplichartError } from '../core/errors.ts';
import type { AnswerOf, Endpoint } from '../http/contract/endpoint.ts';
import { errorFromProblem } from '../http/problem.ts';

/** Options of every command that talks to a running node. */
export interface ClientFlags {
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/** What is asked of an endpoint: parameters and query as text, as they stand in an address. */
export interface Asking<Of extends Endpoint> {
  readonly params?: z.input<Of['params']>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** JSON text. */
  readonly body?: string;
  /** The answer takes as long as there is state to read or write: no limit of time is set to it. */
  readonly long?: boolean;
}

/**
 * Asks an endpoint of a node; the answer is checked against the schema that the node answers by. A refusal becomes the
 * error that the node named.
 */
export async function ask<const Of extends Endpoint>(
  url: string,
  endpoint: Of,
  flags: ClientFlags,
  asking: Asking<Of> = {},
): Promise<AnswerOf<Of>> {
  const response = await send(url, endpoint, flags, asking);
  const text = await reached(url, () => response.body.text());
  const body = jsonOf(text);
  const answer = endpoint.answer.safeParse(body);
  if (answer.success && endpoint.statuses.includes(response.statusCode)) return answer.data as AnswerOf<Of>;
  throw refusalIn(body, url, endpoint, response.statusCode);
}

/** The error that an answer names; where an address is missing that every node of today has, why that may be. */
function refusalIn(body: unknown, url: string, { path, plane }: Endpoint, status: number): ReplichartError {
  const named = errorFromProblem(body);
  if (named?.code === 'NOT_FOUND' && plane === 'dx')
    return new ReplichartError('NOT_FOUND', `${url} has no ${path}: its DX plane may be disabled`, {
      evidence: { url, path },
    });
  return (
    named ??
    new ReplichartError('NODE_UNREACHABLE', `${url} does not answer as a node does`, {
      evidence: { url, path, status },
    })
  );
}

/** Sends what is asked, and gives the answer before its body was read: for streams. */
export function send<const Of extends Endpoint>(
  url: string,
  endpoint: Of,
  flags: ClientFlags,
  asking: Asking<Of> & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Dispatcher.ResponseData> {
  const token = flags.tokenFile === undefined ? process.env['REPLICHART_TOKEN'] : tokenOf(flags.tokenFile);
  const address = addressOf(url, endpoint, asking);
  return reached(url, () =>
    request(address, {
      method: endpoint.method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(asking.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...asking.headers,
      },
      body: asking.body ?? null,
      ...(asking.long === true ? { headersTimeout: 0, bodyTimeout: 0 } : {}),
    }),
  );
}

/** The error of a refusal that was answered to `send`. */
export async function refusalOf(
  url: string,
  endpoint: Endpoint,
  response: Dispatcher.ResponseData,
): Promise<ReplichartError> {
  const body = jsonOf(await reached(url, () => response.body.text()));
  return refusalIn(body, url, endpoint, response.statusCode);
}

function jsonOf(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function reached<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ReplichartError) throw error;
    throw new ReplichartError('NODE_UNREACHABLE', `${url} cannot be reached: ${String(error)}`, {
      cause: error,
      evidence: { url, error: (error as NodeJS.ErrnoException).code ?? null },
    });
  }
}

function tokenOf(file: string): string {
  const invalid = (rule: string, cause?: unknown) =>
    new ReplichartError('CONFIG_INVALID', `tokenFile is ${JSON.stringify(file)}: ${rule}`, {
      cause,
      evidence: { field: 'tokenFile', file },
    });
  let token: string;
  try {
    token = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw invalid(`it cannot be read: ${errorText(error)}`, error);
  }
  if (!/^[\x20-\x7e]+$/.test(token)) throw invalid('it must hold one token, in one line of printable ASCII');
  return token;
}

function addressOf<Of extends Endpoint>(url: string, { path }: Of, { params, query }: Asking<Of>): URL {
  const base = URL.canParse(url) ? new URL(url) : null;
  if (base === null || !/^https?:$/.test(base.protocol))
    throw new ReplichartError(
      'REQUEST_INVALID',
      `${JSON.stringify(url)} is no URL of a node: it must be like http://127.0.0.1:7001`,
      { evidence: { url } },
    );
  const values = (params ?? {}) as Readonly<Record<string, string>>;
  const filled = path.replace(/:(\w+)/g, (_, name: string) => segment(name, values[name] ?? ''));
  const address = new URL(filled.slice(1), url.endsWith('/') ? url : `${url}/`);
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) address.searchParams.set(name, String(value));
  return address;
}

/** A name as a piece of a path. */
function segment(what: string, name: string): string {
  if (name === '' || name === '.' || name === '..')
    throw new ReplichartError(
      'REQUEST_INVALID',
      `${what} is ${JSON.stringify(name)}: an address cannot carry that name`,
      { evidence: { field: what, value: name } },
    );
  return encodeURIComponent(name);
}
