/** Servers that the page is seen through. */
import {
  createServer,
  request,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { configOf } from '../../src/api/node-host.ts';
import type { PrimaryOptions } from '../../src/api/create-primary.ts';
import { pageChart, pageHeaders, pageOf, type PageConfig } from '../../src/http/page.ts';
import { listen, type NodeServer } from '../../src/http/server.ts';
import { TransitionBuffer } from '../../src/node/transition-buffer.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import type { Transition } from '../../src/node/transitions.ts';
import { RUN } from './http-worlds.ts';
import { afterTest, temporaryDirectory } from './nodes.ts';
import { servedPrimary } from './served-nodes.ts';

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterTest(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A proxy that serves nodes below paths of its own, `{ '/a/': URL }`, and nothing else. */
export function proxied(routes: Readonly<Record<string, string>>): Promise<string> {
  return serving((asked, answered) => {
    const path = asked.url ?? '/';
    const prefix = Object.keys(routes).find((one) => path.startsWith(one));
    if (prefix === undefined) return void answered.writeHead(404).end();
    relay(asked, answered, `${routes[prefix]}/${path.slice(prefix.length)}`);
  });
}

function relay(asked: IncomingMessage, answered: ServerResponse, to: string): void {
  const { method, headers } = asked;
  const upstream = request(to, { method, headers, agent: false }, (response) => {
    answered.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(answered);
  });
  upstream.on('error', () => answered.destroy());
  answered.on('close', () => upstream.destroy());
  asked.pipe(upstream);
}

export interface Demonstration {
  readonly url: string;
  /** What was asked of the actions, as `METHOD PATH`. */
  readonly asked: readonly string[];
}

/** A server of a page of its own over nodes, with actions as a demonstration has them. */
export async function demonstration(
  config: PageConfig,
  answerTo: (path: string) => { readonly status: number; readonly body: unknown },
): Promise<Demonstration> {
  const asked: string[] = [];
  const url = await serving((incoming, answered) => {
    const { method = '', url: path = '/' } = incoming;
    const send = async () => {
      const chart = /^\/page\/charts\/(.+)$/.exec(path)?.[1];
      if (path === '/') return answered.writeHead(200, await pageHeaders()).end(await pageOf(config));
      if (chart !== undefined)
        return answered.writeHead(200, { 'content-type': 'image/svg+xml' }).end(await pageChart(chart));
      asked.push(`${method} ${path}`);
      const { status, body } = answerTo(`${method} ${path}`);
      return answered.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    void send();
  });
  return { url, asked };
}

/** A node whose transitions the test makes: everything else of it is a primary's. */
export async function nodeOfTransitions(
  kept?: number,
  options: Partial<PrimaryOptions> = {},
): Promise<{
  readonly buffer: TransitionBuffer;
  readonly url: string;
  readonly server: NodeServer<ServedNode>;
}> {
  const buffer = new TransitionBuffer(RUN, kept);
  const node: ServedNode = { ...(await servedPrimary()), transitions: buffer };
  const config = configOf('primary', { dataDir: await temporaryDirectory(), ...options });
  const logger = pino({ level: 'silent' });
  const server: NodeServer<ServedNode> = await listen(config, '127.0.0.1:0', logger, () => undefined);
  server.serve(node);
  afterTest(() => server.close());
  return { buffer, url: server.url, server };
}

/** A step that such a node may have made. */
export function stepOf(sequence: number, event = `event.${sequence}`): Transition {
  return {
    sequence,
    from: sequence % 2 === 0 ? 'serving' : 'recovering.surveying',
    to: sequence % 2 === 0 ? 'recovering.surveying' : 'serving',
    event,
    transitions: [],
    verdicts: [],
    positions: { received_lsn: null, validated: null, applied: null, primary_durable: null },
    halt: null,
  };
}
