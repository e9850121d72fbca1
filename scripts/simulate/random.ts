/** Numbers drawn from a seed, and from nothing else. */

function mixed(hash: number, word: number): number {
  let mix = Math.imul(hash ^ word, 0x9e3779b1);
  mix = Math.imul(mix ^ (mix >>> 15), 0x85ebca6b);
  mix = Math.imul(mix ^ (mix >>> 13), 0xc2b2ae35);
  return (mix ^ (mix >>> 16)) >>> 0;
}

/** A number in [0, 1) for these words: the same whatever else was drawn. */
export function drawnFor(...words: readonly number[]): number {
  return words.reduce((hash, word) => mixed(hash, word | 0), 0x2545f491) / 2 ** 32;
}

export class Random {
  readonly #seed: number;
  #drawn = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** In [0, 1). */
  next(): number {
    this.#drawn += 1;
    return drawnFor(this.#seed, this.#drawn);
  }

  /** A whole number from 0 on, below the bound. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  chance(of: number): boolean {
    return this.next() < of;
  }

  pick<One>(list: readonly One[]): One {
    return list[this.below(list.length)] as One;
  }
}
