/** What the fault tests injected and what came of it, as a document: from the lines that a run of them wrote. */
import { table } from './markdown.ts';

/** One line of a run, as `test/faults/report.ts` writes it. */
export interface FaultRecord {
  readonly faultClass: string;
  readonly injectedBy: string;
  readonly cases: number;
  /** How many cases ended in each way. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** What the class of a system begins with that is wrong on purpose. */
const SABOTAGE = 'sabotage: ';

export function faultRecords(lines: string): readonly FaultRecord[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FaultRecord);
}

export function faultsDocument(records: readonly FaultRecord[]): string {
  const all = together(records).sort((left, right) => (rankOf(left) < rankOf(right) ? -1 : 1));
  const sorted = all.filter(({ faultClass }) => !faultClass.startsWith(SABOTAGE));
  const sabotages = all.filter(({ faultClass }) => faultClass.startsWith(SABOTAGE));
  const cases = sorted.reduce((sum, record) => sum + record.cases, 0);
  return [
    '# Faults',
    '',
    'Nothing acknowledged is lost and nothing wrong is read, whatever fails. This is what was tried, and what came of it. Made by',
    '`npm run test:faults && npm run generate docs/FAULTS.md` from what the tests of that run wrote down; `npm test` runs a part of',
    'it. A case that ends in any other way than the ones named here fails its test.',
    '',
    `${cases} cases, no violation.`,
    '',
    table(
      ['fault', 'how it is injected', 'cases', 'outcome'],
      sorted.map((record) => [record.faultClass, record.injectedBy, record.cases, outcomesOf(record)]),
    ),
    '## Systems that are wrong on purpose',
    '',
    'That nothing was found would mean nothing if nothing could be. Each of these is simulated with the seeds from 1 on; the first that',
    'finds it is named, with the property that did not hold. What the other tests find when their target is broken stands with them.',
    '',
    table(
      ['what is wrong', 'outcome'],
      sabotages.map((record) => [
        record.faultClass.slice(SABOTAGE.length),
        Object.keys(record.outcomes).join('; '),
      ]),
    ),
    ...ABOUT,
  ].join('\n');
}

/** Records of the same fault, injected in the same way, as one. */
function together(records: readonly FaultRecord[]): FaultRecord[] {
  const byRank = new Map<string, FaultRecord>();
  for (const record of records) {
    const before = byRank.get(rankOf(record)) ?? { ...record, cases: 0, outcomes: {} };
    const outcomes = { ...before.outcomes };
    for (const [name, count] of Object.entries(record.outcomes))
      outcomes[name] = (outcomes[name] ?? 0) + count;
    byRank.set(rankOf(record), { ...before, cases: before.cases + record.cases, outcomes });
  }
  return [...byRank.values()];
}

const rankOf = ({ faultClass, injectedBy }: FaultRecord) => `${faultClass} ${injectedBy}`;

function outcomesOf({ outcomes }: FaultRecord): string {
  return Object.entries(outcomes)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, count]) => `${name}: ${count}`)
    .join('; ');
}

const ABOUT = [
  '## The simulated disk',
  '',
  '`scripts/simulate/disk.ts` stands behind the same ports as the real file system and the real index store. What was written is',
  'seen at once; it lasts once its file (`datasync`) and its name (`syncDirectory`) were synced. After a crash one of these is left',
  'of what was not synced: everything; nothing; names and sizes, with zeros for bytes; only the newest change; all but the newest;',
  'bytes without their names; and everything, with the last write torn at each block of 512 bytes, beside it, and at its edges. A',
  'rename is one change: a new name may be durable before the old one is gone, never the other way round.',
  '',
  '## What is not covered',
  '',
  '- The simulated index is a log of whole batches that can only be cut at its end, which is what LevelDB promises. Its own files are',
  '  cut, torn, rotten and killed beside that, on the real store.',
  '- A disk that lies for ever (says that it has synced and has not, with no error then or later) is found out only where the bytes',
  '  are read again: at a start, by a read, by a proof. No test can promise more.',
  '- Bits that rot in sealed segments before the checkpoint’s one are found when they are read, not at the start.',
  '- Files of the index store are looked at when it is opened. What rots in them while a node runs is not looked at until the next',
  '  start: LevelDB reads its tables without their checksums, and may write them anew.',
  '- An entry that the index store loses while its files are whole is not noticed by a read; a prune, `explain … --verify` and `diff` find it.',
  '- After an fsync that failed Linux may call pages clean that never reached the disk. Here an fsync error is final, and what a',
  '  restart finds is what the simulated disk keeps; a page cache that shows more than the disk holds is not simulated.',
  '- A last unit of the WAL whose length rotted so that it ends behind the file looks like one that was torn. A replica fetches it',
  '  again; a primary refuses to start only where it knows of a later commit.',
  '- Memory that flips bits between a checksum and a write.',
  '',
];
