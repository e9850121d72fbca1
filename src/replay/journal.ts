import type { JsonObject } from '../core/bytes.ts';
import { hex32 } from '../core/bytes.ts';
import { openLine, type ChainEnd, type LineFault, type NumberedRecord } from '../core/flight/chain.ts';
import { flightFileName } from '../core/flight/file-name.ts';
import type { HeaderRecord } from '../core/flight/records.ts';
import { flightLines, type FlightFile, type FlightLine } from '../io/flight-reader.ts';
import type { FileSystem } from '../io/file-system.ts';
import type { ReplayedChart } from './charts.ts';
import type { Difference } from './difference.ts';
import { Replay, type ReplayCounts } from './replay.ts';

/** A place in a journal. */
export interface JournalPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly byte: number;
}

export interface JournalVerdict extends ReplayCounts {
  /**
   * `same`: the machines make of every event what was recorded. `torn`: so they do, and the last line of a run is not
   * whole. `damaged`, `different`: the first thing that is not as it was written, or not as the machines have it.
   */
  readonly verdict: 'same' | 'torn' | 'damaged' | 'different';
  readonly files: number;
  readonly runs: number;
  readonly records: number;
  /** Where the machine stands: after the last record that it took, also where that is a step that it takes differently. */
  readonly final: {
    readonly chart: HeaderRecord['chart'];
    readonly run: string;
    readonly step: number;
    readonly state: string;
    readonly status: string;
    readonly halt: JsonObject | null;
    readonly digest: string;
  } | null;
  readonly torn: (JournalPlace & { readonly bytes: number }) | null;
  readonly damage: (JournalPlace & LineFault) | null;
  readonly difference: (JournalPlace & Difference) | null;
}

export interface JournalOptions {
  readonly charts?: Readonly<Record<HeaderRecord['chart'], ReplayedChart>>;
  /** Called now and then with the records so far. */
  readonly onProgress?: (records: number) => void;
}

const PROGRESS_RECORDS = 1_000;

/** Reads a journal line by line, checks that it is the one that was written, and replays it. Ends at the first fault. */
export async function replayJournal(
  files: FileSystem,
  journal: readonly FlightFile[],
  { charts, onProgress }: JournalOptions = {},
): Promise<JournalVerdict> {
  const reading = new JournalReading(new Replay(charts));
  for (const file of journal) {
    let line = 0;
    reading.enter(file);
    for await (const next of flightLines(files, file.path)) {
      line += 1;
      reading.read(next, { file: file.name, line, byte: next.offset });
      if (reading.hasEnded) return reading.verdict();
      if (reading.records % PROGRESS_RECORDS === 0) onProgress?.(reading.records);
    }
  }
  return reading.verdict();
}

class JournalReading {
  readonly #replay: Replay;
  #files = 0;
  #runs = 0;
  #records = 0;
  #before: FlightFile | null = null;
  #header: HeaderRecord | null = null;
  /** Where the chain stands; `null` where a file begins. */
  #end: ChainEnd | null = null;
  /** Where it stood at the end of the file before. */
  #left: ChainEnd | null = null;
  #torn: JournalVerdict['torn'] = null;
  #damage: JournalVerdict['damage'] = null;
  #difference: JournalVerdict['difference'] = null;

  constructor(replay: Replay) {
    this.#replay = replay;
  }

  get records(): number {
    return this.#records;
  }

  get hasEnded(): boolean {
    return this.#damage !== null || this.#difference !== null;
  }

  enter(file: FlightFile): void {
    const expected = (this.#before?.number ?? 0) + 1;
    if (this.#before !== null && file.number !== expected)
      this.#damage = {
        file: file.name,
        line: 0,
        byte: 0,
        expected: flightFileName(expected),
        found: file.name,
      };
    this.#before = file;
    this.#files += 1;
    this.#left = this.#end;
    this.#end = null;
  }

  read({ bytes, kind }: FlightLine, place: JournalPlace): void {
    if (this.hasEnded) return;
    if (kind === 'rest') {
      this.#torn = { ...place, bytes: bytes.length };
      return;
    }
    const opened = openLine(this.#end, bytes);
    const fault = opened.kind === 'damaged' ? opened : this.#misplaced(opened.record);
    if (opened.kind === 'damaged' || fault !== null) {
      this.#damage = { ...place, expected: fault?.expected ?? '', found: fault?.found ?? '' };
      return;
    }
    const { record } = opened;
    this.#end = opened.end;
    this.#records += 1;
    const difference = this.#replay.accept(record);
    if (difference !== null) {
      this.#difference = { ...place, ...difference };
      return;
    }
    if (record.type !== 'header') return;
    this.#header = record;
    if (record.part === 1) this.#runs += 1;
    else this.#runs = Math.max(this.#runs, 1);
  }

  /** A header stands at the beginning of a file, and nowhere else; it goes on exactly from the file before. */
  #misplaced(record: NumberedRecord): LineFault | null {
    const isFirst = this.#end === null;
    if (record.type !== 'header') return isFirst ? { expected: 'a header', found: record.type } : null;
    if (!isFirst) return { expected: 'one header a file', found: 'another one' };
    const { run, part, after, n } = record;
    if (part === 1) {
      const isBeginning = n === 1 && after === hex32(0) && run !== this.#header?.run;
      return isBeginning
        ? null
        : { expected: 'the beginning of another run', found: `record ${n} of run ${run}` };
    }
    if (this.#header === null) return null;
    const before = { run: this.#header.run, part: this.#header.part + 1, ...chainText(this.#left) };
    const found = { run, part, n: n - 1, after };
    return JSON.stringify(before) === JSON.stringify(found)
      ? null
      : { expected: `what follows ${JSON.stringify(before)}`, found: JSON.stringify(found) };
  }

  verdict(): JournalVerdict {
    const point = this.#replay.machine?.point;
    const halt = this.#replay.machine?.context.halt ?? null;
    return {
      verdict: this.#verdict(),
      files: this.#files,
      runs: this.#runs,
      records: this.#records,
      ...this.#replay.counts,
      final:
        point === undefined || this.#header === null
          ? null
          : {
              chart: this.#header.chart,
              run: this.#header.run,
              step: point.step,
              state: point.state,
              status: point.status,
              halt: halt && { ...halt },
              digest: point.digest,
            },
      torn: this.#torn,
      damage: this.#damage,
      difference: this.#difference,
    };
  }

  #verdict(): JournalVerdict['verdict'] {
    if (this.#damage !== null) return 'damaged';
    if (this.#difference !== null) return 'different';
    return this.#torn === null ? 'same' : 'torn';
  }
}

function chainText(end: ChainEnd | null) {
  return { n: end?.n ?? 0, after: hex32(end?.crc ?? 0) };
}
