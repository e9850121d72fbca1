import { readFileSync } from 'node:fs';
import { request } from 'undici';
import { ReplichartError } from '../core/errors.ts';
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
  } = {},
): Promise<unknown> {
  const token =
    flags.tokenFile === undefined
      ? process.env['REPLICHART_TOKEN']
      : readFileSync(flags.tokenFile, 'utf8').trim();
  const address = new URL(path, url.endsWith('/') ? url : `${url}/`);
  try {
    const response = await request(address, {
      method: send.method ?? 'GET',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(send.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: send.body ?? null,
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
