/** So wide that the fields of most lines stand below one another. */
const WIDTHS: Readonly<Record<string, number>> = {
  lsn: 12,
  byte: 10,
  kind: 7,
  bytes: 7,
  first_commit_id: 10,
  commit_count: 4,
  commit_id: 10,
  index: 4,
  op: 6,
  collection: 12,
  id: 16,
  document_bytes: 7,
};
const RECORD_WIDTH = 'operation'.length;

/** A record in one line for people and for `grep`: `name=value`, quoted as JSON where the value is no plain word. */
export function recordLine({ record, ...fields }: { readonly record: string }): string {
  const shown = Object.entries(fields).map(([name, value]) =>
    `${name}=${shownValue(value)}`.padEnd(name.length + 1 + (WIDTHS[name] ?? 0)),
  );
  return [record.padEnd(RECORD_WIDTH), ...shown].join('  ').trimEnd();
}

const PLAIN_WORD = /^[\w.:/@+-]+$/;
/** JSON leaves them as they are; a terminal, or a program that reads lines, may not. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029]/g;

function shownValue(value: unknown): string {
  if (value === null) return '-';
  if (typeof value === 'string' && PLAIN_WORD.test(value)) return value;
  return JSON.stringify(value).replace(
    CONTROLS,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
