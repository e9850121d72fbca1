/** One node, process after process, on a disk of its own. */
import { pino } from 'pino';
import { configOf, portsOf } from '../../src/api/node-host.ts';
import { stateLine } from '../../src/core/state-line.ts';
import { DataDirectory } from '../../src/io/data-directory.ts';
import type { FileSystem } from '../../src/io/file-system.ts';
import { clearHalt } from '../../src/io/halt-file.ts';
import type { VersionIndexStore } from '../../src/io/version-index.ts';
import type { NodePorts } from '../../src/node/ports.ts';
import type { ReadGate } from '../../src/node/read-gate.ts';
import type { NodeSnapshot } from '../../src/node/node-snapshot.ts';
import type { WalSource } from '../../src/io/wal-source.ts';
import type { Clock, Lane } from './clock.ts';
import { delayedFiles, delayedIndex } from './delayed.ts';
import { SimulatedDisk, systemError } from './disk.ts';
import { rulesFor } from './survivors.ts';

export const HOME = '/data/node';
export const WAL = `${HOME}/wal`;
export const CLUSTER = '11111111-1111-4111-8111-111111111111';
const logger = pino({ level: 'silent' });

/** Whether one of the states that a node is in lies at or below the one that is named. */
export function isIn(snapshot: NodeSnapshot | undefined, state: string): boolean {
  if (snapshot === undefined) return false;
  return stateLine(snapshot.value)
    .split(' | ')
    .some((line) => line === state || line.startsWith(`${state}.`));
}

/** What a node is at fault for, so that a halt is no surprise. */
export type Cause = 'disk error' | 'altered' | 'restored' | 'rot' | 'pruned';

/** What is wrong on purpose, so that it can be seen that it is found. */
export interface Sabotage {
  readonly files?: (files: FileSystem, role: 'primary' | 'replica') => FileSystem;
  readonly index?: (store: VersionIndexStore, role: 'primary' | 'replica') => VersionIndexStore;
  readonly wrapEffect?: NonNullable<NodePorts['wrapEffect']>;
}

interface SomeNode {
  readonly gate: ReadGate;
  snapshot(): NodeSnapshot;
  stop(): Promise<void>;
}

export interface HostOptions<Node extends SomeNode> {
  readonly name: string;
  readonly role: 'primary' | 'replica';
  readonly clock: Clock;
  readonly config: object;
  readonly segmentBytesMax: number;
  readonly number: number;
  readonly sabotage: Sabotage;
  readonly source?: (lane: Lane) => WalSource;
  readonly open: (config: ReturnType<typeof configOf>, ports: NodePorts) => Promise<Node>;
  /** Something that must not happen. */
  readonly report: (error: unknown) => void;
  readonly happened: (what: string) => void;
}

interface Process<Node> {
  readonly lane: Lane;
  readonly ended: Promise<void>;
  readonly end: () => void;
  node: Node | null;
  state: 'starting' | 'up' | 'stopping';
}

export class Host<Node extends SomeNode> {
  readonly options: HostOptions<Node>;
  readonly causes = new Set<Cause>();
  /** Whether its halt is on record: it stays, whatever is started again. */
  haltIsRecorded = false;
  /** Why the last start came to nothing. */
  refusal: unknown = null;
  disk = new SimulatedDisk();
  #process: Process<Node> | null = null;
  /** An operator holds the lock of its directory. */
  #isLocked = false;
  #armedKill: { after: number; readonly rule: number | null; readonly then: () => void } | null = null;
  #armedError: { after: number; times: number; readonly code: string; readonly written: number } | null =
    null;
  #mustDie: (() => void) | null = null;

  constructor(options: HostOptions<Node>) {
    this.options = options;
  }

  get node(): Node | null {
    return this.#process?.node ?? null;
  }
  get isDown(): boolean {
    return this.#process === null;
  }
  get isUp(): boolean {
    return this.#process?.state === 'up';
  }
  get running(): { readonly node: Node; readonly ended: Promise<void> } | null {
    const { node, ended, state } = this.#process ?? {};
    return node === null || node === undefined || ended === undefined || state !== 'up'
      ? null
      : { node, ended };
  }

  start(): void {
    if (this.#process !== null || this.#isLocked) return;
    const { clock, name, role, number, sabotage, source, open, report } = this.options;
    const lane = clock.lane(name);
    clock.note(`${name} starts`);
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const process: Process<Node> = { lane, ended, end, node: null, state: 'starting' };
    this.#process = process;
    this.#watch();
    const turn = (label: string) => clock.turn(lane, label);
    const files = delayedFiles(this.disk.files, turn);
    // Smaller than an operator may have them, so that there are many.
    const config = {
      ...configOf(role, { dataDir: HOME, ...this.options.config }),
      segmentBytesMax: this.options.segmentBytesMax,
    };
    const nodeId = `aaaaaaaa-aaaa-4aaa-8aaa-${String(number).padStart(12, '0')}`;
    const ports = portsOf(config, {
      files: sabotage.files?.(files, role) ?? files,
      indexStore: (_files, directory) => {
        const store = delayedIndex(this.disk.indexStore(directory), turn);
        return sabotage.index?.(store, role) ?? store;
      },
      logger,
      newUuid: () => nodeId,
      walSource: source && (() => source(lane)),
      wrapEffect: sabotage.wrapEffect,
    });
    open(config, ports).then(
      (node) => {
        if (lane.isDead) return;
        process.node = node;
        process.state = 'up';
        clock.note(`${name} is up`);
      },
      (error: unknown) => {
        if (lane.isDead) return;
        this.refusal = error;
        clock.note(`${name} does not start: ${error instanceof Error ? error.message : String(error)}`);
        this.#gone(process, this.disk.reopened());
        try {
          this.#refused(error);
        } catch (violation) {
          report(violation);
        }
      },
    );
  }

  /** Told of a start that came to nothing. */
  onRefusal: (error: unknown) => void = () => undefined;
  #refused(error: unknown): void {
    this.onRefusal(error);
  }

  /** Ends the process with an order, as an operator does. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process === null || process.node === null || process.state !== 'up') return;
    process.state = 'stopping';
    this.options.clock.note(`${this.options.name} stops`);
    process.end();
    await process.node.stop();
    if (!process.lane.isDead) this.#gone(process, this.disk.reopened());
  }

  /** An operator clears the halt of a node that was halted, and starts it again. */
  async clearHalt(): Promise<void> {
    if (!isIn(this.node?.snapshot(), 'halted.resting')) return;
    await this.stop();
    if (!this.isDown) return;
    const { clock, name } = this.options;
    const lane = clock.lane(`${name} operator`);
    const directory = new DataDirectory(
      delayedFiles(this.disk.files, (label) => clock.turn(lane, label)),
      HOME,
    );
    const disk = this.disk;
    this.#isLocked = true;
    try {
      if (await directory.files.stat(directory.haltFile)) await clearHalt(directory);
    } finally {
      this.#isLocked = false;
    }
    if (this.disk !== disk) return;
    clock.note(`${name}: its halt is cleared`);
    this.disk = this.disk.reopened();
    this.haltIsRecorded = false;
    // What a restored primary forgot, and what rotted, stays so.
    for (const cause of ['disk error', 'altered'] as const) this.causes.delete(cause);
    this.start();
  }

  /** `rule`: which of the rules for what is not synced, `null`: only the process dies. */
  kill(rule: number | null): void {
    const process = this.#process;
    const rules = rulesFor(this.disk.unsynced);
    const survivors = rule === null ? null : (rules[Math.floor(rule * rules.length)] ?? null);
    const { clock, name } = this.options;
    clock.note(`FAULT ${name} is killed; ${survivors?.name ?? 'its machine runs on'}`);
    this.options.happened(survivors === null ? 'kill of a process' : 'power cut');
    this.disk.kill();
    const next = survivors === null ? this.disk.reopened() : this.disk.after(survivors);
    if (process !== null) this.#gone(process, next);
    else this.disk = next;
  }

  armKill(after: number, rule: number | null, then: () => void): void {
    this.#armedKill = { after, rule, then };
    if (after === 0) this.#dies();
  }

  armError(code: string, after: number, times: number, written: number): void {
    this.#armedError = { after, times, code, written };
  }

  disarm(): void {
    this.#armedKill = null;
    this.#armedError = null;
  }

  /** Dies now, if its last change was to be the last one. */
  settle(): void {
    const die = this.#mustDie;
    this.#mustDie = null;
    die?.();
  }

  #dies(): void {
    const armed = this.#armedKill;
    this.#armedKill = null;
    if (armed === null) return;
    this.kill(armed.rule);
    armed.then();
  }

  #watch(): void {
    this.disk.inject = ({ path, bytes, name }) => {
      const kill = this.#armedKill;
      if (kill !== null && (kill.after -= 1) <= 0) {
        this.#mustDie = () => this.#dies();
        return 'crash';
      }
      const error = this.#armedError;
      if (error === null || (error.after -= 1) > 0) return undefined;
      error.times -= 1;
      if (error.times <= 0) this.#armedError = null;
      this.causes.add('disk error');
      this.options.clock.note(`FAULT ${error.code} for ${this.options.name}: ${name} ${path}`);
      this.options.happened(error.code);
      const fault = systemError(error.code, path);
      return name === 'append'
        ? { error: fault, writes: Math.floor(error.written * bytes) }
        : { error: fault };
    };
  }

  #gone(process: Process<Node>, disk: SimulatedDisk): void {
    process.lane.isDead = true;
    process.end();
    this.#process = null;
    this.disk = disk;
  }
}
