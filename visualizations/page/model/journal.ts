import type { FlightRecord, HeaderRecord, Move } from '../../../src/core/flight/records.ts';
import { JournalLines } from './journal-lines.ts';
import type { Moment } from './moment.ts';
import { parallelPaths, stepped } from './regions.ts';
import { Timeline } from './timeline.ts';

/** A recorded journal, read to its end or to the first damage. */
export class Journal {
  readonly kind = 'journal';
  readonly name: string;
  readonly timeline: Timeline;
  readonly chart: 'node' | 'primary';
  readonly nodeId: string | null;
  /** What reading it has shown: how far its checksums hold, how it ends. */
  readonly findings: readonly string[];

  constructor(name: string, lines: JournalLines) {
    const header = lines.records.find((record) => record.type === 'header');
    if (header === undefined) throw new Error(lines.fault ?? 'it holds no record of a flight recorder');
    this.name = name;
    this.chart = header.chart;
    this.nodeId = header.node_id;
    this.findings = findingsOf(lines);
    this.timeline = timelineOf(lines.records);
  }
}

/**
 * Reads a file of the flight recorder (FORMAT.md, 14).
 *
 * @throws Error where it is none, with what was expected and found
 */
export async function journalOf(file: File): Promise<Journal> {
  return new Journal(file.name, new JournalLines(new Uint8Array(await file.arrayBuffer())));
}

function findingsOf({ records, fault, isTorn }: JournalLines): readonly string[] {
  const last = records.at(-1);
  return [
    `The chained checksums of ${records.length} ${records.length === 1 ? 'record' : 'records'} hold.`,
    ...(fault === null ? [] : [`Nothing behind is shown: ${fault}.`]),
    ...(isTorn ? ['The last line is torn: the node was killed, or was still writing.'] : []),
    ...(fault === null && !isTorn && last?.type !== 'end'
      ? ['It has no end: another file goes on, or the node was killed.']
      : []),
    ...(records.some(({ type }) => type === 'failed')
      ? ['The chart itself failed at an event, which is a bug.']
      : []),
    'It was not replayed here: `replichart replay` does that.',
  ];
}

function timelineOf(records: readonly FlightRecord[]): Timeline {
  const timeline = new Timeline();
  const parallels = parallelPaths(linesOf(records));
  let run = '';
  let line = '';
  let positions: Moment['positions'] = {};
  const goOnFrom = ({ state, sequence }: HeaderRecord['point'], isKnown: boolean) => {
    line = state;
    // Positions are told where they move; of a point in the middle of a run, what was told before is past.
    if (!isKnown) positions = sequence === 0 ? NOTHING_YET : {};
  };
  for (const record of records) {
    if (record.type === 'header') {
      goOnFrom(record.point, record.run === run);
      run = record.run;
    }
    if (record.type === 'gap') {
      goOnFrom(record.point, false);
      timeline.missed(`the recorder left out ${record.lost} steps`);
    }
    if (record.type !== 'step') continue;
    const { moves, event, state } = record;
    for (const [index, move] of moves.entries()) {
      const isLast = index === moves.length - 1;
      const to = isLast ? state : stepped(line, move.entered, parallels);
      if (isLast) positions = { ...positions, ...(record.positions as Moment['positions']) };
      timeline.add({
        run,
        from: line,
        to,
        event: eventType(event),
        ...told(move),
        positions,
        halt: undefined,
      });
      line = to;
    }
  }
  return timeline;
}

const NOTHING_YET: Moment['positions'] = {
  received_lsn: null,
  validated: null,
  applied: null,
  primary_durable: null,
};

function told({ sequence, transitions, verdicts }: Move) {
  return {
    sequence,
    transitions,
    verdicts: verdicts.map(({ evidence = {}, ...verdict }) => ({ ...verdict, evidence })),
  };
}

function linesOf(records: readonly FlightRecord[]): readonly string[] {
  return records.flatMap((record) =>
    record.type === 'step'
      ? [record.state]
      : record.type === 'header' || record.type === 'gap'
        ? [record.point.state]
        : [],
  );
}

function eventType({ type }: { readonly type?: unknown }): string {
  return typeof type === 'string' ? type : 'an event without a type';
}
