interface Turn {
  readonly at: number;
  readonly number: number;
  readonly go: () => void;
}

/**
 * Gives what a node waits for an order that is the same in every run: each operation is done in reality, and its end is
 * told when, by the cost that it is said to have, it is the next one to end. One end is told at a time, and everything
 * that follows from it without waiting is done before the next.
 */
export class Turns {
  readonly #turns: Turn[] = [];
  #now = 0;
  #number = 0;
  /** Operations that are being done in reality. */
  #underway = 0;
  #isAwake = false;

  /** Does the work, and answers with what came of it when it is its turn. */
  async take<Result>(microseconds: number, work: () => Promise<Result>): Promise<Result> {
    const at = this.#now + microseconds;
    const number = (this.#number += 1);
    this.#underway += 1;
    const settled = await Promise.allSettled([work()]);
    this.#underway -= 1;
    await new Promise<void>((go) => {
      this.#turns.push({ at, number, go });
      this.#wake();
    });
    const [outcome] = settled;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  }

  #wake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    setImmediate(() => {
      this.#isAwake = false;
      // Whatever is still done in reality may be the next to end; it wakes this again.
      if (this.#underway === 0) this.#next();
    });
  }

  #next(): void {
    this.#turns.sort((a, b) => a.at - b.at || a.number - b.number);
    const turn = this.#turns.shift();
    if (turn === undefined) return;
    this.#now = Math.max(this.#now, turn.at);
    turn.go();
    this.#wake();
  }
}

/** For a node that does one thing after the other: there is nothing to put in order. */
export const NO_TURNS: Pick<Turns, 'take'> = { take: (_, work) => work() };
