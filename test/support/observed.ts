/** A node as it is seen from outside: every face of it at one moment, and that they all say the same. */
import { expect } from 'vitest';
import { configOf } from '../../src/api/node-host.ts';
import type { JsonObject } from '../../src/core/bytes.ts';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import type { Explanation } from '../../src/core/explain/explanation.ts';
import { listen } from '../../src/http/server.ts';
import { replicationPlane } from '../../src/http/replication-plane.ts';
import type { ServedNode } from '../../src/node/served-node.ts';
import type { PrimaryNode } from '../../src/primary/primary.ts';
import { isHalting, type Transition } from '../../src/node/transitions.ts';
import { pino } from 'pino';
import { cliJson } from './cli.ts';
import { afterTest } from './nodes.ts';

const OPTIONS = { dataDir: '/nowhere', listen: '127.0.0.1:0', replication: 'enabled' } as const;
const PRIMARY_URL = 'http://127.0.0.1:1';
const silent = pino({ level: 'silent' });

async function replicaServer(node: ServedNode | null) {
  const config = configOf('replica', { ...OPTIONS, primaryUrl: PRIMARY_URL });
  const server = await listen<ServedNode>(config, OPTIONS.listen, silent, () => undefined);
  if (node !== null) server.serve(node);
  return server;
}

async function primaryServer(node: PrimaryNode | null) {
  const config = configOf('primary', OPTIONS);
  const server = await listen<PrimaryNode>(config, OPTIONS.listen, silent, replicationPlane);
  if (node !== null) server.serve(node);
  return server;
}

/** A server that speaks for a node, and goes on when the node has stopped; `null`: for one that still starts. */
export async function served(node: ServedNode | null, role: 'replica' | 'primary' = 'replica') {
  const server =
    role === 'replica' ? await replicaServer(node) : await primaryServer(node as PrimaryNode | null);
  afterTest(() => server.close());
  return server;
}

export interface Answered {
  readonly status: number;
  readonly body: JsonObject;
}

export async function ask(url: string, path: string): Promise<Answered> {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: (await response.json()) as JsonObject };
}

export async function dataOf<Data = JsonObject>(url: string, path: string): Promise<Data> {
  const { status, body } = await ask(url, path);
  expect([path, status]).toEqual([path, 200]);
  return body['data'] as Data;
}

interface MachineSaid {
  readonly machine_state: string;
  readonly replica_state: string;
  readonly status: string;
  readonly candidates: readonly {
    readonly event: string;
    readonly targets: readonly string[];
    readonly allowed: boolean;
  }[];
}

/** What a test says of a node; from the explanation of its gate everything else follows. */
export interface Said {
  readonly gate: Explanation;
  readonly read: Explanation;
  readonly recovery?: Explanation;
  readonly replicaState: string;
  /** The events that would lead on now. */
  readonly allowed: readonly string[];
}

/** All faces of a node, held against what has to be said. */
/** What `/v1/status` says where a rule of the gate does not hold, and nothing is halted. */
function blockedBy(rule: string | undefined) {
  if (rule === undefined) return null;
  return { code: 'READS_BLOCKED', invariant: rule.slice(0, rule.indexOf(' ')), rule };
}

export async function expectSaid(url: string, said: Said): Promise<void> {
  const { gate, read, recovery, replicaState, allowed } = said;
  expect(await dataOf(url, '/v1/explain/replication')).toEqual(gate);
  expect(await dataOf(url, '/v1/explain/read?collection=c&id=k1')).toEqual(read);
  if (recovery !== undefined) expect(await dataOf(url, '/v1/explain/recovery')).toEqual(recovery);
  const halt = gate.inputs['halt'] as (JsonObject & { readonly code: string }) | null;
  const against = gate.rules_applied.filter(
    ({ rule_id: rule, evaluation }) => evaluation !== 'holds' && rule !== 'P5-I12 noApplicationIsInFlight',
  );
  const reasons = halt === null ? against.map(({ rule_id: rule }) => rule) : [halt.code];
  const machineState = gate.inputs['machine_state'];
  expect(await dataOf(url, '/v1/status')).toMatchObject({
    replica_state: replicaState,
    machine_state: machineState,
    position: gate.inputs['position'],
    failure: halt,
    blocking_reason:
      halt === null
        ? blockedBy(against[0]?.rule_id)
        : { code: halt.code, invariant: halt['invariant'], rule: halt['rule'] },
  });
  expect(await dataOf(url, '/v1/replication')).toMatchObject({
    replica_state: replicaState,
    replica_commit_id: gate.observed_snapshot.commit_id,
    read_safety: reasons.length === 0 ? 'Safe' : 'Unsafe',
    blocking_reason: reasons[0] ?? null,
    failure: halt,
  });
  const machine = await dataOf<MachineSaid>(url, '/v1/machine?chart=0');
  expect([machine.machine_state, machine.replica_state, machine.status]).toEqual([
    machineState,
    replicaState,
    'active',
  ]);
  const leading = machine.candidates.filter((one) => one.allowed && one.targets.length > 0);
  expect(leading.map(({ event }) => event)).toEqual(allowed);
  expect(await ask(url, '/readyz')).toEqual({
    status: reasons.length === 0 ? 200 : 503,
    body: { ready: reasons.length === 0, reasons },
  });
  await expectReads(url, gate);
}

/** A read by HTTP and by the command line: answered, or refused by the first rule, with the explanation whole. */
async function expectReads(url: string, gate: Explanation): Promise<void> {
  const first = gate.rules_applied.find(({ evaluation }) => evaluation !== 'holds');
  const byCli = await cliJson(['read', url, 'c', 'k1']);
  expect(await cliJson(['explain', 'replication', url])).toMatchObject({ exit: 0, body: gate });
  if (first === undefined) {
    expect((await ask(url, '/data/v1/c/k1')).body['position']).toEqual(gate.inputs['position']);
    expect(byCli.exit).toBe(0);
    return;
  }
  const refused = await ask(url, '/data/v1/c/k1');
  expect(refused.status).toBe(503);
  const error = {
    code: 'READS_BLOCKED',
    invariant: first.rule_id.slice(0, first.rule_id.indexOf(' ')),
    message: `the read is refused: ${first.rule_id} does not hold`,
    evidence: { rule: first.rule_id, ...first.evidence, explanation: gate },
  };
  expect(refused.body['error']).toEqual(error);
  expect([byCli.exit, (byCli.body as { error: unknown }).error]).toEqual([
    4,
    { ...error, action: ERRORS.READS_BLOCKED.action },
  ]);
}

/** Where a halted node can go. */
export const HALTED_EVENTS = ['node.stop'];

/** The step that halted the node: by the rule of its halt, on the evidence of it; a fault is no rule's. */
export function haltingStep({ transitions }: Pick<ServedNode, 'transitions'>): Transition {
  const found = transitions.read(0, Infinity).transitions.filter(isHalting);
  expect(found).toHaveLength(1);
  return found[0] as Transition;
}

export function expectHaltingStep(node: ServedNode, from: string, halt: JsonObject): void {
  const step = haltingStep(node);
  const { bytes_kept_in: _kept, ...evidence } = halt['evidence'] as JsonObject;
  expect([step.from.split(' | '), step.to]).toEqual([expect.arrayContaining([from]), 'halted.draining']);
  expect(step.halt).toEqual({ ...halt, evidence });
  expect(step.verdicts).toEqual(
    halt['rule'] === null
      ? []
      : [{ rule_id: halt['rule'], invariant: halt['invariant'], evaluation: 'violated', evidence }],
  );
}

/** The halt as the directory holds it: shown while the node runs, and what a start would end with. */
export async function expectRecorded(dataDir: string, halt: JsonObject): Promise<void> {
  expect(await cliJson(['halt', 'show', '--data', dataDir])).toMatchObject({
    exit: 0,
    body: { halted: true, halt },
  });
  const check = ['config', 'check', 'replica', '--data', dataDir, '--primary', PRIMARY_URL];
  expect((await cliJson(check)).exit).toBe(ERRORS[halt['code'] as ErrorCode].exit);
}
