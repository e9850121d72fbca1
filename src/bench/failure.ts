/** A workload could not be run to its end; says what was there instead. */
export class BenchFailure extends Error {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'BenchFailure';
  }
}
