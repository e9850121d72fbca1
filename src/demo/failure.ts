import type { Json } from '../core/bytes.ts';

/** The demonstration could not go on; says what was waited for and what was there instead. */
export class DemoFailure extends Error {
  readonly found: Json;

  constructor(message: string, found: Json = null, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'DemoFailure';
    this.found = found;
  }
}
