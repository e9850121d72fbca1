import type { Moment } from './moment.ts';

/** What a timeline holds, in order: transitions, and places where some are missing. */
export type Entry =
  { readonly kind: 'moment'; readonly moment: Moment } | { readonly kind: 'gap'; readonly text: string };

export const MOMENTS_MAX = 10_000;
/** Old entries go many at a time: each time costs a copy of all. */
const SURPLUS = 500;

/**
 * The newest transitions of one node or one journal, each exactly once and in order; what is missing between them is an entry
 * of its own. Entries are named by their place in all that ever came, so a name stays while old ones go.
 */
export class Timeline {
  #entries: Entry[] = [];
  #gone = 0;
  #moments = 0;
  /** The place that is looked at; `null` follows the newest. */
  #place: number | null = null;
  /** Why what comes next does not join what came before. */
  #missed: string | null = null;

  /** Puts a transition behind the last one; one that is already there is left out. */
  add(moment: Moment): void {
    const last = this.#lastMoment();
    const isBehind = last === null || last.run !== moment.run || moment.sequence > last.sequence;
    if (!isBehind && this.#missed === null) return;
    const text = missingBetween(last, moment, this.#missed);
    this.#missed = null;
    if (text !== null) this.#entries.push({ kind: 'gap', text });
    this.#entries.push({ kind: 'moment', moment });
    this.#moments += 1;
    if (this.#entries.length >= MOMENTS_MAX + SURPLUS) this.#forget(this.#entries.length - MOMENTS_MAX);
  }

  /** Something is missing before the next transition; the reason is shown there. */
  missed(reason: string): void {
    this.#missed = reason;
  }

  /** The places that are held: from the first to before the end. */
  get first(): number {
    return this.#gone;
  }

  get end(): number {
    return this.#gone + this.#entries.length;
  }

  /** How many transitions came, those that went again included. */
  get moments(): number {
    return this.#moments;
  }

  /** Entries that went to keep memory bounded. */
  get gone(): number {
    return this.#gone;
  }

  at(place: number): Entry | null {
    return this.#entries[place - this.#gone] ?? null;
  }

  /** The place that is looked at; the newest where none was chosen; `null` in an empty timeline. */
  get place(): number | null {
    if (this.#entries.length === 0) return null;
    return this.#place === null ? this.end - 1 : Math.max(this.#place, this.#gone);
  }

  get isFollowing(): boolean {
    return this.#place === null;
  }

  /** Looks at a place, or with `null` at the newest from now on. */
  look(place: number | null): void {
    this.#place = place === null ? null : Math.min(Math.max(place, this.first), this.end - 1);
  }

  /** The newest transition at or before a place. */
  momentAt(place: number): Moment | null {
    for (let at = place; at >= this.#gone; at -= 1) {
      const entry = this.at(at);
      if (entry?.kind === 'moment') return entry.moment;
    }
    return null;
  }

  #lastMoment(): Moment | null {
    return this.momentAt(this.end - 1);
  }

  #forget(count: number): void {
    this.#entries = this.#entries.slice(count);
    this.#gone += count;
  }
}

/** What a reader has to know between two transitions; `null` where the second follows the first. */
function missingBetween(
  last: Moment | null,
  { run, sequence }: Moment,
  reason: string | null,
): string | null {
  const isAnew = last !== null && last.run !== run;
  const missing = sequence - (last === null || isAnew ? 1 : last.sequence + 1);
  const parts = [
    ...(isAnew ? ['another run of the node begins'] : []),
    ...(missing > 0
      ? [`${missing} ${missing === 1 ? 'transition is' : 'transitions are'} missing here`]
      : []),
    ...(reason === null ? [] : [reason]),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}
