import Table from 'cli-table3';
import type { Proof } from './proofs.ts';
import type { Figures } from './scenario.ts';

const COLUMN_WIDTHS = [4, 46, 66];

/** What the demonstration did, in sentences with the figures that were measured. */
export function figuresText({ dataset, import: imported, snapshot, changes, ...rest }: Figures): string {
  const lines: string[] = [];
  if (dataset !== undefined)
    lines.push(
      `data      ${dataset.package} ${dataset.version} (${dataset.license}), ${dataset.bytes} bytes`,
    );
  if (imported !== undefined)
    lines.push(
      `import    ${imported.rows} rows in ${imported.commits} commits, ${imported.milliseconds} ms with the pause for the snapshot`,
    );
  if (snapshot !== undefined)
    lines.push(
      `snapshot  of commit ${snapshot.cut.commit_id}, ${snapshot.bytes} bytes, made in ${snapshot.milliseconds} ms; B served it ${snapshot.replica_serves_after_milliseconds} ms after its start`,
    );
  if (changes !== undefined)
    lines.push(
      `changes   ${changes.updates} updates, ${changes.deletes} deletes in ${changes.milliseconds} ms`,
    );
  if (rest.catch_up_milliseconds !== undefined)
    lines.push(`caught up ${rest.catch_up_milliseconds} ms after the last commit was acknowledged`);
  if (rest.altered_byte !== undefined) {
    const { lsn, document, altered } = rest.altered_byte;
    lines.push(`altered   one bit at LSN ${lsn}, on the way to C:`);
    lines.push(`          ${document}`, `          ${altered}`);
  }
  return lines.join('\n');
}

/** The proofs: a table on a terminal, plain lines elsewhere. */
export function proofsText(proofs: readonly Proof[], onTerminal: boolean): string {
  if (!onTerminal) return proofs.map(proofLines).join('\n');
  const table = new Table({
    head: ['', 'claim', 'measured'],
    colWidths: COLUMN_WIDTHS,
    wordWrap: true,
  });
  for (const proof of proofs)
    table.push([proof.holds ? '✔' : '✘', proof.claim, proof.shown + contrast(proof)]);
  return table.toString();
}

function proofLines(proof: Proof): string {
  return `${proof.holds ? 'holds ' : 'BROKEN'}  ${proof.claim}\n        ${proof.shown}${contrast(proof)}`;
}

/** Of a broken claim, what had to be and what was. */
function contrast({ holds, expected, found }: Proof): string {
  return holds
    ? ''
    : `\n        expected: ${JSON.stringify(expected)}\n        found:    ${JSON.stringify(found)}`;
}
