import { InvalidArgumentError } from 'commander';

/** A parser of arguments that must be whole numbers in a range. */
export function numberFrom(min: number, max: number = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** A position as an argument: COMMIT_ID:LSN:HASH. */
export function positionArgument(value: string): string {
  if (/^\d{1,16}:\d{1,16}:[0-9a-f]{64}$/.test(value)) return value;
  throw new InvalidArgumentError('It must be COMMIT_ID:LSN:HASH, the hash in 64 lower case digits.');
}
