import type { FastifyInstance } from 'fastify';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import { answer } from './answer.ts';
import { getPage, getPageChart } from './contract/page.ts';

/** What a page shows: it is written into it, and the page asks for nothing else than this. */
export interface PageConfig {
  /** The nodes it shows, the first one first; each `url` is absolute, or relative to the address of the page. */
  readonly nodes: readonly { readonly name: string; readonly url: string }[];
  /** The address of a demonstration's actions; `null` leaves the page without any: it only reads. */
  readonly actions: string | null;
}

const NODE_PAGE: PageConfig = { nodes: [{ name: 'this node', url: '.' }], actions: null };

/**
 * The page as one HTML text: no request leaves for anything but the drawings (`page/charts/…` relative to the page) and the
 * nodes. It is to be sent with `pageHeaders`.
 *
 * @throws ReplichartError `INTERNAL` where the package was not built whole
 */
export async function pageOf(config: PageConfig): Promise<string> {
  const [html, charts] = await Promise.all([builtPage(), chartFiles()]);
  return html.replace('<!--page-config-->', () => {
    const data = { ...config, charts: [...charts.keys()] };
    return `<script type="application/json" id="page-config">${scriptJson(data)}</script>`;
  });
}

/** The headers of a page: its own script and style run and no other, it is framed by nobody, and it tells nobody its address. */
export async function pageHeaders(): Promise<Readonly<Record<string, string>>> {
  const html = await builtPage();
  const hashes = (tag: string) =>
    [...html.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))]
      .map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
      .join(' ');
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [
      "default-src 'none'",
      `script-src ${hashes('script')}`,
      `style-src ${hashes('style')}`,
      // Other nodes are added by whoever looks; what they may be read by, they say themselves.
      "connect-src 'self' http: https:",
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'cache-control': 'no-cache',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  };
}

/** A drawing by the name that the page asks for it; `null` where there is none. */
export async function pageChart(name: string): Promise<string | null> {
  const path = (await chartFiles()).get(name);
  return path === undefined ? null : readFile(path, 'utf8');
}

/** `GET /` and the drawings: they hold no data of the node, so they need neither the node nor a token. */
export function pageRoutes(app: FastifyInstance): void {
  answer(app, getPage, async ({ reply }) => reply.headers(await pageHeaders()).send(await pageOf(NODE_PAGE)));
  answer(app, getPageChart, async ({ params: { name }, reply }) => {
    const svg = await pageChart(name);
    if (svg === null) throw new ReplichartError('NOT_FOUND', `there is no chart ${JSON.stringify(name)}`);
    // Opened by itself it is a document: it has styles of its own, and nothing that could run.
    return reply
      .headers({
        'content-type': 'image/svg+xml',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
      })
      .send(svg);
  });
}

/** JSON that no HTML parser takes for the end of the element it stands in. */
function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

const { resolve } = createRequire(import.meta.url);

let built: Promise<string> | null = null;
function builtPage(): Promise<string> {
  built ??= readFile(resolve('#page/index.html'), 'utf8').catch((error: unknown) => {
    built = null;
    throw new ReplichartError('INTERNAL', 'the page is not there: npm run build makes it', { cause: error });
  });
  return built;
}

let charts: Promise<ReadonlyMap<string, string>> | null = null;
/** Every drawing with its path: of the charts by their names, of a stage by `stages-NAME`. */
function chartFiles(): Promise<ReadonlyMap<string, string>> {
  return (charts ??= (async () => {
    const whole = dirname(resolve('#visualizations/node.svg'));
    const stages = join(whole, 'stages');
    return new Map([
      ...(await drawingsIn(whole)).map((name) => [name, join(whole, name)] as const),
      ...(await drawingsIn(stages)).map((name) => [`stages-${name}`, join(stages, name)] as const),
    ]);
  })());
}

async function drawingsIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith('.svg')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
