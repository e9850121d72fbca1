/**
 * Makes the pictures of the README: starts a primary, a replica that is well, and one whose stream has a byte flipped in it,
 * and writes what their page shows into `docs/images`. To be looked at before they are committed.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Relay } from '../src/demo/relay.ts';
import { createPrimary, createReplica, type NodeSnapshot, type Primary, type Replica } from '../src/index.ts';
import { stateLine } from '../src/core/state-line.ts';
import { launchBrowser } from './browser.ts';

const IMAGES = 'docs/images';
const CLUSTER = '11111111-1111-4111-8111-111111111111';
const COMMITS = 40;
/** Within the document of the last commit. */
const FLIPPED_BEFORE_END = 5;
const WIDTH = 1280;
/** The drawing is as high as most of the window; the picture shows more than the window. */
const WINDOW_HEIGHT = 800;
const HEIGHT = 1180;
/** Each with its colours, the button that shows the node, and the state that is lit then. */
const PICTURES = [
  ['replica', 'light', 'Show replica 1', 'node.replicating.readGate.open'],
  ['halted', 'dark', 'Show replica 2', 'node.halted.resting'],
] as const;
const ports = { logger: pino({ level: 'silent' }) };
const common = { clusterId: CLUSTER, listen: '127.0.0.1:0', replication: 'enabled' } as const;

const endings: (() => Promise<unknown>)[] = [];
const directory = await mkdtemp(join(tmpdir(), 'replichart-screenshots-'));
endings.push(() => rm(directory, { recursive: true, force: true }));
try {
  await picture();
} finally {
  for (const end of endings.reverse()) await end();
}

async function picture(): Promise<void> {
  const primary = await createPrimary({ ...common, dataDir: join(directory, 'primary') }, ports);
  endings.push(() => primary.stop());
  await makeHistory(primary);
  const origin = urlOf(primary);
  const relay = await Relay.to(origin);
  relay.alter({ lsn: (primary.position()?.lsn ?? 0) - FLIPPED_BEFORE_END });
  endings.push(() => relay.close());
  const replica = await follow('replica', origin, origin);
  const halted = await follow('halted', relay.url, origin);
  await until(replica, ({ context }) => context.applied?.commitId === COMMITS);
  await until(halted, ({ value }) => stateLine(value) === 'halted.resting');
  const nodes = new URLSearchParams([
    ['node', `replica 1=${urlOf(replica)}`],
    ['node', `replica 2=${urlOf(halted)}`],
  ]);
  await takePictures(`${origin}/?${nodes.toString()}`);
}

async function makeHistory(of: Primary): Promise<void> {
  for (let n = 1; n <= COMMITS; n += 1)
    await of.commit([{ op: 'put', collection: 'cities', id: `${n}`, document: `{"name":"City ${n}"}` }]);
}

async function follow(name: string, primaryUrl: string, origin: string): Promise<Replica> {
  const dataDir = join(directory, name);
  const replica = await createReplica({ ...common, dataDir, primaryUrl, dxOrigins: [origin] }, ports);
  endings.push(() => replica.stop());
  return replica;
}

function urlOf({ url }: Primary | Replica): string {
  if (url === null) throw new Error('a node of the pictures is served');
  return url;
}

function until(node: Replica, wanted: (snapshot: NodeSnapshot) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = node.subscribe((snapshot) => look(snapshot));
    const look = (snapshot: NodeSnapshot) => {
      if (!wanted(snapshot)) return;
      stop();
      resolve();
    };
    look(node.snapshot());
  });
}

async function takePictures(url: string): Promise<void> {
  await mkdir(IMAGES, { recursive: true });
  const browser = await launchBrowser();
  endings.push(() => browser.close());
  for (const [name, colorScheme, show, isThere] of PICTURES) {
    const viewport = { width: WIDTH, height: WINDOW_HEIGHT };
    const page = await browser.newPage({ colorScheme, reducedMotion: 'reduce', viewport });
    await page.goto(url);
    await page.getByRole('button', { name: show, exact: true }).click();
    await page.locator(`[data-state="${isThere}"].is-current`).waitFor({ state: 'attached' });
    await page.locator('#candidates .barred').first().waitFor();
    await page.locator('#timeline .moments button').nth(10).waitFor();
    const path = `${IMAGES}/page-${name}.png`;
    await page.screenshot({ path, fullPage: true, clip: { x: 0, y: 0, width: WIDTH, height: HEIGHT } });
    process.stdout.write(`${path} written\n`);
  }
}
