/**
 * The documents of workload W1: key `user` and 19 digits from a scrambled counter, value a JSON text of 256 bytes. The
 * same number always gives the same document.
 */
export const KEY_BYTES = 23;
export const DOCUMENT_BYTES = 256;
export const COLLECTION = 'w1';

/** What a run was made of, to be kept with its figures. */
export interface WorkFacts {
  readonly name: 'W1';
  readonly key_bytes: number;
  readonly document_bytes: number;
  readonly documents: number;
}

export function workFacts(documents: number): WorkFacts {
  return { name: 'W1', key_bytes: KEY_BYTES, document_bytes: DOCUMENT_BYTES, documents };
}

const DIGITS = 19;
const KEYS = 10n ** BigInt(DIGITS);
const FILLER_CHARACTERS = 64 * 1024;

const filler = fillerText();

export function documentKey(n: number): string {
  // Scrambled again until it has 19 digits: that keeps different counters apart, which a remainder would not.
  let scrambled = scramble(BigInt(n));
  while (scrambled >= KEYS) scrambled = scramble(scrambled);
  return `user${scrambled.toString().padStart(DIGITS, '0')}`;
}

/** Of another size where one is asked for; it must have room for the counter. */
export function documentText(n: number, bytes = DOCUMENT_BYTES): string {
  const head = `{"n":${n},"text":"`;
  return `${head}${fillerOf(n, bytes - head.length - 2)}"}`;
}

/** The body of a request that makes the commits of the numbers from `first` on, one put each. */
export function commitsBody(first: number, count: number): string {
  const commits = Array.from({ length: count }, (_, index) => {
    const n = first + index;
    return `{"ops":[{"op":"put","collection":"${COLLECTION}","id":"${documentKey(n)}","document":${documentText(n)}}]}`;
  });
  return `{"commits":[${commits.join(',')}]}`;
}

/** SplitMix64: every number of 64 bits comes out once. */
function scramble(n: bigint): bigint {
  const word = (value: bigint) => BigInt.asUintN(64, value);
  let z = word(n + 0x9e3779b97f4a7c15n);
  z = word((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = word((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

/** A piece of the text that is another one for the next document; where it is not long enough, it begins again. */
function fillerOf(n: number, length: number): string {
  const from = (n * 31) % (FILLER_CHARACTERS - DOCUMENT_BYTES);
  const times = Math.ceil((from + length) / FILLER_CHARACTERS);
  return (times > 1 ? filler.repeat(times) : filler).slice(from, from + length);
}

/** Text that no compression makes small, and that is the same in every run. */
function fillerText(): string {
  const characters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  let state = 1;
  let text = '';
  for (let index = 0; index < FILLER_CHARACTERS; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += characters.charAt((state >>> 16) % characters.length);
  }
  return text;
}
