import CliTable from 'cli-table3';

/** Rows that are alike. A cell is shown as text; `null` is a value that is not known. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** Narrower than this, the last column could not be read. */
const LAST_COLUMN_MIN = 16;
const CELL_PADDING = 2;

/** Whether standard output is read by people, on a terminal. */
export function isOnTerminal(): boolean {
  return process.stdout.isTTY === true;
}

/** Rows for people: a table on a terminal; elsewhere one line a row, tabs between the cells, for other programs. */
export function tableText({ head, rows }: Table, onTerminal = isOnTerminal()): string {
  const cells = rows.map((row) => row.map(cellText));
  if (!onTerminal) return cells.map((row) => row.join('\t')).join('\n');
  const table = new CliTable({
    head: [...head],
    style: { compact: true, head: [], border: [] },
    ...fitted([head, ...cells], process.stdout.columns),
  });
  table.push(...cells);
  return table.toString();
}

function cellText(value: string | number | null): string {
  return value === null ? '-' : oneLine(String(value));
}

/** A terminal does as it is told by control characters, and a line of a table is one line. */
export function oneLine(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Lets the last column give way where the rows are wider than the terminal. */
function fitted(rows: readonly (readonly string[])[], columns: number | undefined) {
  const widths = (rows[0] ?? []).map(
    (_, column) => CELL_PADDING + Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const borders = widths.length + 1;
  const others = widths.slice(0, -1).reduce((sum, width) => sum + width, borders);
  if (columns === undefined || others + (widths.at(-1) ?? 0) <= columns) return {};
  const last = Math.max(LAST_COLUMN_MIN, columns - others);
  const words = rows.flatMap((row) => row.at(-1)?.split(' ') ?? []);
  return {
    colWidths: [...widths.slice(0, -1), last],
    wordWrap: true,
    // A word that is wider than its column would be cut off, and a hash is one word.
    wrapOnWordBoundary: words.every((word) => word.length <= last - CELL_PADDING),
  };
}
