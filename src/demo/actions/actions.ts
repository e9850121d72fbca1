import { DemoFailure } from '../failure.ts';
import { REPLICAS, type NodeName } from '../fleet.ts';
import { seen, type Seen } from '../seen.ts';
import type { Action, Situation, Stage } from './action.ts';
import { bootstrapAnew } from './bootstrap.ts';
import { clearHaltOf } from './clear-halt.ts';
import { attachAgain, cutConnection } from './connection.ts';
import { fillQuota } from './fill-quota.ts';
import { flipByte } from './flip-byte.ts';
import { forkHistory } from './fork.ts';
import { killReplica, startReplica } from './process.ts';

/** Everything that can be done to the nodes of a demonstration, in the order of the menu. */
export const ACTIONS: readonly Action[] = [
  flipByte('replica-a', 'f'),
  cutConnection('replica-a', 'x'),
  attachAgain('replica-a', 'a'),
  killReplica('replica-b', 'k'),
  startReplica('replica-b', 's'),
  fillQuota('replica-b', 'd'),
  forkHistory('h'),
  ...REPLICAS.map((name, index) => clearHaltOf(name, String(index + 1))),
  ...REPLICAS.map((name, index) => bootstrapAnew(name, String(index + 7))),
];

/** An action as it is offered. */
export interface Offer extends Pick<Action, 'id' | 'key' | 'title' | 'description'> {
  readonly enabled: boolean;
  /** Why it cannot be done now; `null` when it can. */
  readonly reason: string | null;
}

/** Why an action was not begun. */
export class ActionRefused extends Error {
  readonly why: 'unknown' | 'busy' | 'not_now';

  constructor(why: ActionRefused['why'], message: string) {
    super(message);
    this.name = 'ActionRefused';
    this.why = why;
  }
}

/** Runs actions, one at a time, whoever asks for them: the terminal or the page. */
export class Actions {
  readonly #stage: Stage;
  readonly #onDone: (title: string, done: string) => void;
  #isAllowed = false;
  #underWay: { readonly title: string; readonly ended: Promise<unknown> } | null = null;

  /** @param onDone Is told of every action that came to its end. */
  constructor(stage: Stage, onDone: (title: string, done: string) => void) {
    this.#stage = stage;
    this.#onDone = onDone;
  }

  /** What is offered now. */
  async offers(): Promise<readonly Offer[]> {
    const busy = this.#busy();
    const situation = await this.#situation();
    return ACTIONS.map(({ id, key, title, description, reason }) => {
      const against = busy ?? reason(situation);
      return { id, key, title, description, enabled: against === null, reason: against };
    });
  }

  /**
   * Runs an action; resolves with what was seen then.
   *
   * @throws ActionRefused when it is not begun; DemoFailure when something else came of it than had to.
   */
  async run(id: string, onBegin: () => void = () => undefined): Promise<string> {
    const action = ACTIONS.find((one) => one.id === id);
    if (action === undefined) throw new ActionRefused('unknown', `there is no action ${JSON.stringify(id)}`);
    const busy = this.#busy();
    if (busy !== null) throw new ActionRefused('busy', busy);
    const done = this.#begin(action, onBegin);
    // Who waits for the end is not told how it ended: who asked for the action is.
    this.#underWay = { title: action.title, ended: done.catch(() => null) };
    try {
      return await done;
    } finally {
      this.#underWay = null;
    }
  }

  /** From now on actions are run; until then none is. */
  allow(): void {
    this.#isAllowed = true;
  }

  get isBusy(): boolean {
    return this.#underWay !== null;
  }

  /** Resolves when no action is under way. */
  async ended(): Promise<void> {
    await this.#underWay?.ended;
  }

  async #begin({ title, reason, run }: Action, onBegin: () => void): Promise<string> {
    const against = reason(await this.#situation());
    if (against !== null) throw new ActionRefused('not_now', against);
    onBegin();
    const done = await run(this.#stage);
    this.#onDone(title, done);
    return done;
  }

  #busy(): string | null {
    if (!this.#isAllowed) return 'the proofs are still under way: nothing may disturb them';
    return this.#underWay === null ? null : `one action at a time: "${this.#underWay.title}" is under way`;
  }

  async #situation(): Promise<Situation> {
    const { fleet } = this.#stage;
    const all = await Promise.all(
      fleet.nodes.map(async (name): Promise<[NodeName, Seen] | null> => {
        try {
          return [name, await seen(fleet, name)];
        } catch (error) {
          // It ended, or was ended by an action, while it was asked: nothing is known of it.
          if (error instanceof DemoFailure) return null;
          throw error;
        }
      }),
    );
    return new Map(all.filter((one) => one !== null));
  }
}
