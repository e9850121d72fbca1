/**
 * The one who decides what happens next. Everything that a real system waits for is a turn that waits here; how long is
 * drawn from the seed, the process and the number of the turn, so that one that is left out moves no other one.
 */
import { createHash } from 'node:crypto';
import { drawnFor } from './random.ts';

/** A process, or a connection: what ends with it is never answered. */
export interface Lane {
  readonly name: string;
  readonly key: number;
  /** How slow it is. */
  readonly scale: number;
  turns: number;
  isDead: boolean;
}

interface Turn {
  readonly at: number;
  readonly number: number;
  readonly lane: Lane | null;
  readonly label: string;
  readonly run: () => void;
}

const SCALES = [1, 2, 3, 5, 12];
/** One turn of so many takes much longer than the others. */
const SLOW_ONE_OF = 40;
const SLOW_TIMES = 25;

export class Clock {
  now = 0;
  steps = 0;
  readonly #seed: number;
  readonly #tell: ((line: string) => void) | null;
  readonly #hash = createHash('sha256');
  readonly #heap: Turn[] = [];
  #number = 0;
  #lanes = 0;

  /** `tell`: hears of every line of the trace. */
  constructor(seed: number, tell: ((line: string) => void) | null) {
    this.#seed = seed;
    this.#tell = tell;
  }

  lane(name: string): Lane {
    this.#lanes += 1;
    const key = this.#lanes;
    const scale = SCALES[Math.floor(drawnFor(this.#seed, key, -1) * SCALES.length)] as number;
    return { name, key, scale, turns: 0, isDead: false };
  }

  /** Resolves when it is this one's turn; never, where the process is dead by then. */
  turn(lane: Lane, label: string, extra = 0): Promise<void> {
    return new Promise((resolve) => {
      if (lane.isDead) return;
      lane.turns += 1;
      const drawn = drawnFor(this.#seed, lane.key, lane.turns);
      const slow = drawnFor(this.#seed, lane.key, lane.turns, 1) * SLOW_ONE_OF < 1 ? SLOW_TIMES : 1;
      this.#push(this.now + 1 + Math.floor(drawn * lane.scale * slow) + extra, lane, label, resolve);
    });
  }

  at(time: number, label: string, run: () => void): void {
    this.#push(Math.max(time, this.now), null, label, run);
  }

  /** Lets the next one have its turn, and everything that follows from it without waiting; `false`: nobody waits. */
  async step(): Promise<Lane | null | false> {
    for (let next = this.#pop(); next !== undefined; next = this.#pop()) {
      if (next.lane?.isDead === true) continue;
      this.now = next.at;
      this.steps += 1;
      if (next.lane !== null) this.note(`${next.lane.name}: ${next.label}`);
      next.run();
      await drained();
      return next.lane;
    }
    return false;
  }

  /** A line of the trace. */
  note(line: string): void {
    const whole = `${this.now} ${line}`;
    this.#hash.update(whole).update('\n');
    this.#tell?.(whole);
  }

  /** Of all that has happened; ends the trace. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  #push(at: number, lane: Lane | null, label: string, run: () => void): void {
    this.#number += 1;
    const heap = this.#heap;
    heap.push({ at, number: this.#number, lane, label, run });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!isBefore(heap[child] as Turn, heap[parent] as Turn)) break;
      swap(heap, child, parent);
      child = parent;
    }
  }

  #pop(): Turn | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let parent = 0; ;) {
      const [left, right] = [2 * parent + 1, 2 * parent + 2];
      let least = parent;
      if (left < heap.length && isBefore(heap[left] as Turn, heap[least] as Turn)) least = left;
      if (right < heap.length && isBefore(heap[right] as Turn, heap[least] as Turn)) least = right;
      if (least === parent) return first;
      swap(heap, parent, least);
      parent = least;
    }
  }
}

const isBefore = (one: Turn, other: Turn) =>
  one.at < other.at || (one.at === other.at && one.number < other.number);

function swap(heap: Turn[], one: number, other: number): void {
  [heap[one], heap[other]] = [heap[other] as Turn, heap[one] as Turn];
}

/** Every promise that can go on without a turn has gone on then. */
export function drained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
