import fc from 'fast-check';

/**
 * How the properties of this room are run, in one place. The seed is fixed, so that a run says the same every time.
 * `PROPERTY_SEED` takes another one, `PROPERTY_RUNS` is how many times the usual number of cases: a long night is
 * `PROPERTY_RUNS=500 PROPERTY_SEED=7 npx vitest run test/properties --testTimeout=0`.
 */
const SEED = wholeNumber('PROPERTY_SEED', 20_261_122);
const TIMES = wholeNumber('PROPERTY_RUNS', 1);

/** Parameters of one property; what fails is shrunk, and told with all that is needed to see it again. */
export function runs<Values>(numRuns: number): fc.Parameters<Values> {
  return { seed: SEED, numRuns: numRuns * TIMES, reporter };
}

function reporter<Values>(details: fc.RunDetails<Values>): void {
  if (!details.failed) return;
  const again = `PROPERTY_SEED=${SEED} PROPERTY_RUNS=${TIMES}`;
  throw new Error(`${fc.defaultReportMessage(details)}\n\nTo see it again: ${again}`, {
    cause: details.errorInstance,
  });
}

function wholeNumber(name: string, otherwise: number): number {
  const text = process.env[name];
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new Error(`${name} must be a whole number from 1 on, not "${text}"`);
  return Number(text);
}
