import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** A text of at most so many characters stands for itself: it says more than its hash, and costs less. */
const PLAIN_CHARACTERS_MAX = 64;
const DIGEST_DIGITS = 32;

/** What tells one value from another: its canonical JSON, or `sha256:` and 32 digits where that is long. */
export type Print = string;

export function printOf(value: unknown): Print {
  const text = canonicalJson(value);
  return text.length <= PLAIN_CHARACTERS_MAX ? text : `sha256:${digestOf(text)}`;
}

/** The first half of a SHA-256, in hexadecimal digits. */
function digestOf(text: string): string {
  return hash('sha256', text, 'hex').slice(0, DIGEST_DIGITS);
}

/** A chart at rest, as far as a journal is concerned. */
export interface Moment {
  readonly status: string;
  readonly value: unknown;
  readonly context: object;
}

export interface MomentPrint {
  /** The prints of the fields of the context that are other than before, in the order of their names. */
  readonly changed: { readonly [field: string]: Print };
  /** SHA-256 of the canonical JSON of status, value and the prints of all fields of the context; 32 digits. */
  readonly digest: string;
}

/**
 * Prints one moment after the other of one chart. Contexts are never changed in place, so a field that is the same value
 * as before has the same print: what a step costs is what it changed.
 */
export class MomentPrinter {
  #held = new Map<string, PrintedField>();

  print({ status, value, context }: Moment): MomentPrint {
    const held = new Map<string, PrintedField>();
    const changed: Record<string, Print> = {};
    let all = '';
    for (const name of Object.keys(context).sort()) {
      const field = (context as Readonly<Record<string, unknown>>)[name];
      const before = this.#held.get(name);
      const now = before !== undefined && Object.is(before.value, field) ? before : printed(name, field);
      if (now.print !== before?.print) changed[name] = now.print;
      held.set(name, now);
      all += all === '' ? now.text : `,${now.text}`;
    }
    this.#held = held;
    const text = `{"context":{${all}},"status":${JSON.stringify(status)},"value":${canonicalJson(value)}}`;
    return { changed, digest: digestOf(text) };
  }
}

interface PrintedField {
  readonly value: unknown;
  readonly print: Print;
  /** Name and print as they stand in what the digest is made of. */
  readonly text: string;
}

function printed(name: string, value: unknown): PrintedField {
  const print = printOf(value);
  return { value, print, text: `${JSON.stringify(name)}:${JSON.stringify(print)}` };
}
