import { InvalidArgumentError } from 'commander';

/** A parser of arguments that are some of a list, with commas between them; given in the order of the list. */
export function listOf<const Name extends string>(all: readonly Name[]): (value: string) => readonly Name[] {
  return (value) => {
    const named = value.split(',');
    const unknown = named.find((name) => !(all as readonly string[]).includes(name));
    if (unknown !== undefined)
      throw new InvalidArgumentError(`${JSON.stringify(unknown)} is none of ${all.join(', ')}.`);
    return all.filter((name) => named.includes(name));
  };
}
