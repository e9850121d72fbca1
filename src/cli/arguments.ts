import { InvalidArgumentError } from 'commander';

/** A parser of arguments that must be whole numbers in a range. */
export function numberFrom(min: number, max: number = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

const SECONDS_MAX = 3_600;

/** A time in seconds as an argument, parts of a second included. */
export function secondsArgument(value: string): number {
  const seconds = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && seconds > 0 && seconds <= SECONDS_MAX) return seconds;
  throw new InvalidArgumentError(`It must be a number of seconds above 0, at most ${SECONDS_MAX}.`);
}

/** A position as an argument: COMMIT_ID:LSN:HASH. */
export function positionArgument(value: string): string {
  if (/^\d{1,16}:\d{1,16}:[0-9a-f]{64}$/.test(value)) return value;
  throw new InvalidArgumentError('It must be COMMIT_ID:LSN:HASH, the hash in 64 lower case digits.');
}
