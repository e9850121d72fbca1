import { readFileSync } from 'node:fs';
import { request } from 'undici';
import { errorText, ReplichartError } from '../core/errors.ts';
import { errorFromProblem } from '../http/problem.ts';

/** Options of every command that talks to a running node. */
export interface ClientFlags {
  readonly tokenFile?: string;
  readonly json?: boolean;
}

/** Sends one request to a node and reads the JSON answer; a refusal becomes the error that the node named. */
export async function ask(
  url: string,
  path: string,
  flags: ClientFlags,
  send: {
    readonly method?: 'GET' | 'POST';
    readonly body?: string;
    readonly accept?: readonly number[];
    /** The answer takes as long as there is state to read or write: no limit of time is set to it. */
    readonly long?: boolean;
  } = {},
): Promise<unknown> {
  const token = flags.tokenFile === undefined ? process.env['REPLICHART_TOKEN'] : tokenOf(flags.tokenFile);
  const address = addressOf(url, path);
  try {
    const response = await request(address, {
      method: send.method ?? 'GET',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(send.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: send.body ?? null,
      ...(send.long === true ? { headersTimeout: 0, bodyTimeout: 0 } : {}),
    });
    const text = await response.body.text();
    const body: unknown = text === '' ? null : JSON.parse(text);
    if (response.statusCode < 400 || (send.accept ?? []).includes(response.statusCode)) return body;
    throw (
      errorFromProblem(body) ??
      new ReplichartError('INTERNAL', `${address.href} answered ${response.statusCode}`)
    );
  } catch (error) {
    if (error instanceof ReplichartError) throw error;
    throw new ReplichartError('NODE_UNREACHABLE', `${address.origin} cannot be reached: ${String(error)}`, {
      cause: error,
      evidence: { url: address.origin, error: (error as NodeJS.ErrnoException).code ?? null },
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

function addressOf(url: string, path: string): URL {
  const base = URL.canParse(url) ? new URL(url) : null;
  if (base === null || !/^https?:$/.test(base.protocol))
    throw new ReplichartError(
      'REQUEST_INVALID',
      `${JSON.stringify(url)} is no URL of a node: it must be like http://127.0.0.1:7001`,
      { evidence: { url } },
    );
  return new URL(path, url.endsWith('/') ? url : `${url}/`);
}
