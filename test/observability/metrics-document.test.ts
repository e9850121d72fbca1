import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import parsePrometheusTextFormat from 'parse-prometheus-text-format';
import { expect, test } from 'vitest';
import { metricsDocument } from '../../scripts/metrics-document.ts';
import { prepareCommit } from '../../src/core/wal/operation.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import { put, rejection } from '../support/nodes.ts';
import { halted } from '../support/replicas.ts';
import { servedPrimary, servedReplica } from '../support/served-nodes.ts';
import { chunked, recordedWal } from '../support/sources.ts';
import { flipped } from '../support/wal-forge.ts';

const DOCUMENT = join(fileURLToPath(new URL('../..', import.meta.url)), 'docs/generated/METRICS.md');

interface Documented {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly roles: readonly string[];
  readonly help: string;
}

async function documented(role: string): Promise<readonly Documented[]> {
  const rows = (await readFile(DOCUMENT, 'utf8')).matchAll(
    /^\| `(\w+)` \| (\w+) \| (.*?) ?\| ([a-z, ]+) \| (.*) \|$/gm,
  );
  return [...rows]
    .map(([, name = '', type = '', labels = '', roles = '', help = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
      roles: roles.split(', '),
      help,
    }))
    .filter(({ roles }) => roles.includes(role));
}

async function exposed({ metrics }: Pick<ServedNode, 'metrics'>) {
  return parsePrometheusTextFormat(await metrics.text()).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a node shows and what the document says of its role: the same names, types, texts and labels. */
async function compare(role: string, node: Pick<ServedNode, 'metrics'>, wanted: readonly string[]) {
  const [families, rows] = [await exposed(node), await documented(role)];
  expect(families.map(({ name, type, help }) => ({ name, type, help }))).toEqual(
    rows.map(({ name, type, help }) => ({ name, type: type.toUpperCase(), help })),
  );
  const samples = families.flatMap(({ name, metrics }) =>
    metrics.map(({ labels = {} }) => [name, Object.keys(labels).sort()]),
  );
  const labelsOf = new Map(rows.map(({ name, labels }) => [name, [...labels].sort()]));
  expect(samples).toEqual(samples.map(([name]) => [name, labelsOf.get(String(name))]));
  expect(new Set(samples.map(([name]) => name))).toEqual(
    new Set([...labelsOf.keys()].filter((name) => !wanted.includes(name))),
  );
}

test('docs/generated/METRICS.md is what the registry says', async () => {
  expect(await readFile(DOCUMENT, 'utf8')).toBe(metricsDocument());
});

/** Without a flight recorder it has no figures (test/flight/recorder.test.ts shows them). */
const WITHOUT_RECORDER = ['replichart_flight_recording', 'replichart_flight_steps_lost'];

test('P5-I14: a primary exposes what is documented for it, and nothing else', async () => {
  const primary = await servedPrimary();
  await primary.commit(prepareCommit([put('k', 'v')]));
  await primary.gate.read(async () => null);
  await compare('primary', primary, [...WITHOUT_RECORDER, 'replichart_halts_total']);
});

test('P5-I14: a replica exposes what is documented for it, and nothing else', async () => {
  const wal = await recordedWal(3);
  const told = {
    kind: 'notice',
    position: { commitId: 3, lsn: wal.length, historyHash: 'f'.repeat(64) },
  } as const;
  const replica = await servedReplica(() => ({
    chunks: () => [told, ...chunked(flipped(wal, (wal.length - 9) * 8), wal.length)],
  }));
  await halted(replica);
  await rejection(replica.gate.read(async () => null));
  // A node that halted has let go of its primary.
  await compare('replica', replica, [
    ...WITHOUT_RECORDER,
    'replichart_replication_lag_bytes',
    'replichart_replication_lag_commits',
  ]);
});
