/** One run: the plan, then an end to all faults, then everything that must hold in the end. */
import { act, beginWriting, commit } from './actions.ts';
import { Clock, drained } from './clock.ts';
import { Cluster, type Follower } from './cluster.ts';
import type { Figures } from './figures.ts';
import { demand, Violation } from './history.ts';
import { isIn, type Sabotage } from './host.ts';
import { PRIMARY, type Plan } from './plan.ts';
import { read } from './reads.ts';
import { isPrefix, Watch } from './watch.ts';

/** A cluster that has not come to rest by then never does. */
const STEPS_MAX = 60_000;
/** What an operator does to a replica at most: start it, clear two halts, attach it. */
const ROUNDS = 6;
const FIRST_START = 200;

export interface Outcome {
  /** The property that did not hold, and how; `null`: all did. */
  readonly violation: { readonly property: string; readonly found: string } | null;
  readonly steps: number;
  /** Of every step of the run. */
  readonly trace: string;
  readonly figures: Figures;
}

export async function run(
  plan: Plan,
  sabotage: Sabotage = {},
  tell: ((line: string) => void) | null = null,
): Promise<Outcome> {
  const clock = new Clock(plan.seed, tell);
  const cluster = new Cluster(clock, plan, sabotage);
  beginWriting();
  let violation: Outcome['violation'] = null;
  try {
    await new Run(cluster, plan).all();
  } catch (error) {
    violation =
      error instanceof Violation
        ? { property: error.property, found: error.message }
        : { property: 'nothing fails unexpectedly', found: (error as Error).stack ?? String(error) };
    clock.note(`VIOLATION ${violation.found.split('\n', 1)[0] ?? ''}`);
  }
  return { violation, steps: clock.steps, trace: clock.digest(), figures: cluster.figures };
}

class Run {
  readonly #cluster: Cluster;
  readonly #watch: Watch;
  readonly #plan: Plan;

  constructor(cluster: Cluster, plan: Plan) {
    this.#cluster = cluster;
    this.#watch = new Watch(cluster);
    this.#plan = plan;
  }

  async all(): Promise<void> {
    const { clock, primary, followers } = this.#cluster;
    primary.start();
    // Most find a primary that answers.
    for (const { host } of followers)
      clock.at(FIRST_START + host.options.number * 20, 'start', () => host.start());
    for (const action of this.#plan.actions)
      clock.at(action.at, action.do, () => {
        clock.note(JSON.stringify(action));
        act(this.#cluster, action);
      });
    await this.#rest();
    clock.note('NO MORE FAULTS');
    for (const { host, link } of followers) {
      host.disarm();
      link.restore();
    }
    primary.disarm();
    await this.#rest();
    await this.#primaryWorks();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { host } of followers) {
        if (host.isDown) host.start();
        else if (isHalted(host)) this.#cluster.background(host.clearHalt());
        else host.node?.attach();
        await this.#rest();
      }
    }
    for (const follower of followers) this.#caughtUp(follower);
    await this.#readAll();
    for (const host of [primary, ...followers.map((one) => one.host)]) {
      this.#cluster.background(host.stop());
      await this.#rest();
      demand(host.isDown, 'a node that is asked to stop does', () => host.options.name);
    }
  }

  /** Goes on until nobody waits for anything. */
  async #rest(): Promise<void> {
    const { clock, primary, followers } = this.#cluster;
    await drained();
    for (;;) {
      const lane = await clock.step();
      primary.settle();
      for (const { host } of followers) host.settle();
      this.#watch.look();
      if (this.#cluster.failure !== null) throw this.#cluster.failure as Error;
      if (lane === false) return;
      demand(
        clock.steps < STEPS_MAX,
        'a cluster comes to rest',
        () => `it is at work after ${STEPS_MAX} steps`,
      );
    }
  }

  async #primaryWorks(): Promise<void> {
    const { primary } = this.#cluster;
    for (let round = 0; round < 2; round += 1) {
      if (primary.isDown) primary.start();
      await this.#rest();
      if (isHalted(primary)) this.#cluster.background(primary.clearHalt());
      await this.#rest();
    }
    const before = this.#cluster.figures['commits acknowledged'] ?? 0;
    this.#cluster.background(commit(this.#cluster, [{ id: 'a', deletes: false }]));
    await this.#rest();
    demand(
      this.#cluster.figures['commits acknowledged'] === before + 1,
      'a primary without faults makes commits',
      () => String(primary.refusal),
    );
    if (this.#plan.replicas.some(({ bootstrap }) => bootstrap === 'snapshot'))
      await this.#primaryMakesSnapshot();
  }

  /** One that could not make the name of a snapshot durable makes none more until it is started again. */
  async #primaryMakesSnapshot(): Promise<void> {
    const { primary } = this.#cluster;
    for (const isStartedAgain of [false, true]) {
      let refusal: unknown = null;
      const made = primary.node?.createSnapshot().then(
        () => undefined,
        (error: unknown) => (refusal = error),
      );
      this.#cluster.background(made ?? Promise.resolve());
      await this.#rest();
      if (refusal === null) return;
      demand(
        !isStartedAgain && primary.causes.has('disk error'),
        'a primary without faults makes snapshots',
        () => String(refusal),
      );
      this.#cluster.background(primary.stop());
      await this.#rest();
      primary.start();
      await this.#rest();
    }
  }

  /** A replica that is not of another history has all of it, and its gate is open. */
  #caughtUp(follower: Follower): void {
    const { host } = follower;
    const { history } = this.#cluster;
    const snapshot = host.node?.snapshot();
    const { applied = null, halt = null } = snapshot?.context ?? {};
    if (host.causes.has('rot')) return;
    // It has to begin again in an empty directory, which nothing does by itself; whose history it holds nobody can say any more.
    if (snapshot?.context.detachment?.startsWith('WAL_PRUNED') === true) {
      demand(host.causes.has('pruned'), 'WAL is pruned only by a prune', () => host.options.name);
      this.#cluster.count('left behind by a prune');
      return;
    }
    const isOther = !isPrefix(follower, history);
    if (isOther || halt?.code === 'HISTORY_DIVERGED') {
      demand(
        this.#cluster.histories.length > 1 && halt?.code === 'HISTORY_DIVERGED',
        'a replica of another history halts, and no other one does',
        () => `${host.options.name}: ${JSON.stringify(snapshot?.value)}, ${String(halt?.code)}`,
      );
      this.#cluster.count('diverged');
      return;
    }
    demand(
      applied?.commitId === history.durable,
      'a replica without faults catches up',
      () =>
        `${host.options.name} has ${String(applied?.commitId)} of ${history.durable} commits: ` +
        `${JSON.stringify(snapshot?.value ?? String(host.refusal))}, ${String(halt?.message ?? snapshot?.context.detachment)}`,
    );
  }

  async #readAll(): Promise<void> {
    const { history, followers } = this.#cluster;
    for (const [place, { host }] of [
      ...[[PRIMARY, { host: this.#cluster.primary }] as const],
      ...followers.entries(),
    ]) {
      if (host.causes.has('rot') || isHalted(host)) continue;
      for (let at = 0; at <= history.durable; at += Math.max(1, history.durable >> 2))
        this.#cluster.background(
          // One that was left behind by a prune serves what it has.
          read(this.#cluster, place, { at }, at <= (host.node?.applied()?.commitId ?? 0)),
        );
      this.#cluster.background(read(this.#cluster, place, {}, true));
      await this.#rest();
    }
  }
}

function isHalted(host: Cluster['primary'] | Follower['host']): boolean {
  return isIn(host.node?.snapshot(), 'halted.resting');
}
