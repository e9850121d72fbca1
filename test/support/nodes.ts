import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { pino } from 'pino';
import { createPrimary, createReplica, type Primary, type Replica } from '../../src/index.ts';
import type { HostPorts } from '../../src/api/node-host.ts';
import type { PrimaryOptions } from '../../src/api/create-primary.ts';
import type { ReplicaOptions } from '../../src/api/create-replica.ts';
import { recordChart } from './chart-coverage.ts';

export const CLUSTER = '11111111-1111-4111-8111-111111111111';
export const OTHER_CLUSTER = '22222222-2222-4222-8222-222222222222';
export const NODE = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa';

const silent = pino({ level: 'silent' });
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** Runs after the test, the last one first. */
export function afterTest(cleanUp: () => Promise<unknown>): void {
  cleanUps.push(cleanUp);
}

export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'replichart-test-'));
  afterTest(() => rm(path, { recursive: true, force: true }));
  return path;
}

export async function startPrimary(options: PrimaryOptions, ports: HostPorts = {}): Promise<Primary> {
  const primary = await createPrimary(options, { logger: silent, inspect: recordChart, ...ports });
  afterTest(() => primary.stop());
  return primary;
}

export async function startReplica(options: ReplicaOptions, ports: HostPorts = {}): Promise<Replica> {
  const replica = await createReplica(options, { logger: silent, inspect: recordChart, ...ports });
  afterTest(() => replica.stop());
  return replica;
}

/** The error that a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}

export const put = (id: string, document: string) => ({ op: 'put', collection: 'c', id, document }) as const;
export const del = (id: string) => ({ op: 'delete', collection: 'c', id }) as const;
