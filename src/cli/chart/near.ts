/** Names that somebody may have meant. */

const NEAR_MAX = 5;

/** The names nearest to one that does not exist, the nearest first: those that it is a part of, then those spelt alike. */
export function near(unknown: string, names: readonly string[]): readonly string[] {
  const wanted = unknown.slice(unknown.lastIndexOf('.') + 1);
  const distance = (name: string) => {
    const last = name.slice(name.lastIndexOf('.') + 1);
    if (contains(last, wanted)) return 0;
    return Math.min(edits(unknown, name), edits(wanted, last));
  };
  // With more than a third of its letters changed, it is another word.
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  return names
    .map((name) => ({ name, far: distance(name) }))
    .filter(({ far }) => far <= limit)
    .sort((one, other) => one.far - other.far || one.name.length - other.name.length)
    .slice(0, NEAR_MAX)
    .map(({ name }) => name);
}

function contains(name: string, part: string): boolean {
  return part !== '' && name.toLowerCase().includes(part.toLowerCase());
}

/** How many letters are put in, left out or changed between two words (Levenshtein). */
function edits(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of [...one].entries()) {
    const next = [at + 1];
    for (const [column, opposite] of [...other].entries()) {
      const changed = (row[column] ?? 0) + (letter === opposite ? 0 : 1);
      next.push(Math.min(changed, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
