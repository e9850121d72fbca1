import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

/** Asks a node by an address exactly as it is written: nothing in it is tidied up, as `fetch` does. */
export function ask(
  url: string,
  path: string,
  { method = 'GET', headers, body }: Asked = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const asked = httpRequest({ hostname, port, path, method, headers: headers ?? {}, agent: false });
    asked.on('error', reject);
    asked.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'],
          headers: response.headers,
          text: bytes.toString('utf8'),
          bytes,
        });
      });
    });
    asked.end(body);
  });
}

/** The same with a JSON body to send, and the JSON answer read. */
export async function askJson(
  url: string,
  path: string,
  asked: Omit<Asked, 'body'> & { readonly body?: unknown } = {},
): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const { body, headers, ...rest } = asked;
  const { status, text } = await ask(url, path, {
    ...rest,
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status, body: JSON.parse(text) as Record<string, unknown> };
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export interface Connection {
  readonly socket: Socket;
  /** All that came until the other side closed. */
  readonly closed: Promise<string>;
}

/** A connection to a node, on which anything can be written. */
export function connection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let came = '';
    socket.on('data', (data) => (came += data.toString('latin1')));
    const closed = new Promise<string>((done) => socket.once('close', () => done(came)));
    socket.once('connect', () => resolve({ socket, closed }));
    // After it was connected an error is only one more way to be closed.
    socket.on('error', reject);
  });
}

/** The code that a problem names. */
export function codeOf({ text }: Pick<Answer, 'text'>): unknown {
  return (JSON.parse(text) as { error?: { code?: unknown } }).error?.code;
}

/** The events of a stream of server-sent events that has ended. */
export function sentEvents(text: string): readonly {
  readonly id: string | null;
  readonly event: string;
  readonly data: Record<string, unknown>;
}[] {
  return text
    .split('\n\n')
    .filter((block) => /^data: /m.test(block))
    .map((block) => ({
      id: /^id: (.*)$/m.exec(block)?.[1] ?? null,
      event: /^event: (.*)$/m.exec(block)?.[1] ?? '',
      data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null') as Record<string, unknown>,
    }));
}
