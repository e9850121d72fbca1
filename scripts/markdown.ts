/** A table of Markdown, a line a row, with an empty line behind it. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(cellOf).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n');
}

function cellOf(cell: string | number): string {
  return String(cell).replaceAll('|', '\\|');
}
