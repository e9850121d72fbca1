import type { InspectionEvent } from 'xstate';
import { hex32 } from '../core/bytes.ts';
import { CHAIN_START, sealLine, type ChainEnd } from '../core/flight/chain.ts';
import { errorToJson, eventToJson, type FlightEvent } from '../core/flight/facts.ts';
import { FLIGHT_FORMAT_VERSION, FLIGHT_MAGIC, type FlightRecord } from '../core/flight/records.ts';
import { FLIGHT_LINE_BYTES_MAX } from '../core/limits.ts';
import type { FlightQueue } from './flight-queue.ts';
import { MacrostepReader, OutcomeReader, pointOf, type Macrostep } from './flight-steps.ts';
import type { NodeSnapshot } from './node-snapshot.ts';
import type { Transition } from './transitions.ts';

export interface FlightRecorderOptions {
  readonly chart: 'node' | 'primary';
  readonly run: string;
  /** What one file may take. */
  readonly fileBytesMax: number;
  readonly queue: FlightQueue;
  /** Told once, where the recorder has to stop. */
  readonly onFault: (error: unknown) => void;
}

/** What can be said of a recorder. */
export interface FlightFigures {
  /** A fault ends the recording for the rest of the run. */
  readonly isRecording: boolean;
  /**
   * Steps that are not in the journal: those that were left out, and, from a fault on, also those that had waited to be
   * written and all that came since. Of the write that failed none is counted as written, though a part of it may be.
   */
  readonly lost: number;
}

/** Where a journal stands: the next record tells what happened from there on. */
interface Standing {
  readonly snapshot: NodeSnapshot;
  readonly step: number;
  readonly sequence: number;
}

interface WaitingRecord {
  readonly record: FlightRecord;
  readonly after: Standing;
}

/** Steps that wait for the directory to be ours, at most; a start takes about ten. */
const WAITING_MAX = 1_024;

/**
 * Keeps a journal of one run of a node: every event, what the chart made of it, and what its invariants said. It only
 * watches. Nothing in it throws into the chart or holds it up; where the disk does not keep up, steps are left out and
 * counted; where it fails, the recorder stops and says so, and the node goes on.
 *
 * Nothing is written before the directory is known to be this node's and is locked by it, and the start is not refused:
 * until then what was seen waits in memory.
 */
export class FlightRecorder {
  readonly #options: FlightRecorderOptions;
  readonly #queue: FlightQueue;
  readonly #steps = new MacrostepReader();
  readonly #outcomes = new OutcomeReader();
  /** Events that were sent to the chart and not answered yet: the first is the one that it is working on. */
  #sent: FlightEvent[] = [];
  #waiting: WaitingRecord[] | null = [];
  #standing: Standing | null = null;
  #now: Standing | null = null;
  #end: ChainEnd = CHAIN_START;
  #part = 0;
  #fileBytes = 0;
  /** Steps that were left out since the last record. */
  #missing = 0;
  #lost = 0;
  #isOver = false;
  #hasFailed = false;

  constructor(options: FlightRecorderOptions) {
    this.#options = options;
    this.#queue = options.queue;
    this.#queue.onFault((error) => this.#stopBy(error));
  }

  get figures(): FlightFigures {
    const lost = this.#hasFailed ? this.#steps.step - this.#queue.stepsWritten : this.#lost;
    return { isRecording: !this.#isOver, lost };
  }

  /** `transition`: what the reader of transitions made of the same inspection event. */
  observe(inspection: InspectionEvent, transition: Transition | null): void {
    // Steps are counted also when nothing is recorded any more.
    if (this.#hasFailed) this.#steps.read(inspection, transition);
    this.#guarded(() => {
      if (inspection.type === '@xstate.event' && inspection.actorRef.sessionId === inspection.rootId)
        this.#sent.push(inspection.event);
      const macrostep = this.#steps.read(inspection, transition);
      if (macrostep !== null) this.#record(macrostep);
      else if (this.#now === null && this.#steps.rest !== null) this.#start(this.#steps.rest);
    });
  }

  /** The chart has thrown: the event that it was working on is the last one of the run. */
  failed(error: unknown): void {
    this.#guarded(() => {
      const [event] = this.#sent;
      if (event === undefined || this.#now === null) return;
      // An effect whose failure nobody handles ends the chart in order: that is a step like any other.
      if (Object.is(event['error'], error)) return;
      const record: FlightRecord = {
        type: 'failed',
        step: this.#now.step + 1,
        event: eventToJson(event),
        error: errorToJson(error),
      };
      this.#put(record, this.#now);
      this.#queue.sync();
    });
  }

  /** Writes what is left and makes it durable. Safe to call twice; never rejects. */
  async close(): Promise<void> {
    await this.#queue.drained();
    this.#guarded(() => {
      const now = this.#now;
      if (now === null || this.#waiting !== null) return;
      if (this.#missing > 0) this.#putGap(now);
      this.#put({ type: 'end', step: now.step }, now);
    });
    this.#isOver = true;
    await this.#queue.close();
  }

  #start(snapshot: NodeSnapshot): void {
    this.#outcomes.startAt(snapshot);
    this.#now = this.#standing = { snapshot, step: 0, sequence: 0 };
    this.#sent = [];
  }

  #record(macrostep: Macrostep): void {
    const { step, event, transitions, after: snapshot } = macrostep;
    this.#sent = this.#sent.slice(this.#sent.indexOf(event) + 1);
    const sequence = transitions.at(-1)?.sequence ?? this.#now?.sequence ?? 0;
    const now = (this.#now = { snapshot, step, sequence });
    const outcome = this.#outcomes.outcomeOf(macrostep);
    this.#put({ type: 'step', step, event: eventToJson(event), ...outcome }, now);
    if (this.#missing > 0) this.#putGap(now);
    this.#follow(snapshot, outcome.state);
  }

  /** Once the directory is ours to write in, what waited is written; the end of a run is made durable at once. */
  #follow({ context, status }: NodeSnapshot, state: string): void {
    const isOurs = context.survey !== null && state !== 'halted.refusing';
    if (isOurs && this.#waiting !== null) this.#writeWaiting(this.#waiting);
    if (this.#waiting === null && (state.startsWith('halted.') || status !== 'active')) this.#queue.sync();
  }

  #writeWaiting(waiting: readonly WaitingRecord[]): void {
    this.#waiting = null;
    const missing = this.#missing;
    this.#missing = 0;
    for (const { record, after } of waiting) this.#put(record, after);
    this.#missing += missing;
    if (this.#missing > 0 && this.#now !== null) this.#putGap(this.#now);
  }

  /** Where something is missing, a record says how much, and where the chart stands now. */
  #putGap(now: Standing): void {
    if (this.#waiting !== null || !this.#queue.hasRecovered) return;
    const lost = this.#missing;
    this.#missing = 0;
    const isPut = this.#put({ type: 'gap', lost, point: pointOf(now.snapshot, now.step, now.sequence) }, now);
    if (!isPut) this.#missing = lost;
  }

  /** Says whether the record was taken; a step that was not is missing. */
  #put(record: FlightRecord, after: Standing): boolean {
    const isTaken = this.#missing === 0 && this.#offer(record, after);
    if (isTaken) return true;
    if (record.type === 'step') {
      this.#missing += 1;
      this.#lost += 1;
    }
    return false;
  }

  #offer(record: FlightRecord, after: Standing): boolean {
    if (this.#waiting !== null) {
      if (this.#waiting.length === WAITING_MAX) return false;
      this.#waiting.push({ record, after });
      return true;
    }
    const isTaken =
      (this.#part > 0 && this.#write([record], false)) || this.#write([this.#header(), record], true);
    if (isTaken) this.#standing = after;
    return isTaken;
  }

  /** A file begins with all that a replay needs in order to begin there. */
  #header(): FlightRecord {
    const { snapshot, step, sequence } = this.#standing as Standing;
    const identity = this.#now?.snapshot.context.identity ?? null;
    return {
      type: 'header',
      magic: FLIGHT_MAGIC,
      format: FLIGHT_FORMAT_VERSION,
      chart: this.#options.chart,
      run: this.#options.run,
      part: this.#part + 1,
      after: hex32(this.#end.crc),
      node_id: identity?.nodeId ?? null,
      cluster_id: identity?.clusterId ?? null,
      point: pointOf(snapshot, step, sequence),
    };
  }

  #write(records: readonly FlightRecord[], inNewFile: boolean): boolean {
    let end = this.#end;
    const lines = records.map((record) => {
      const sealed = sealLine(end, record);
      end = sealed.end;
      return { bytes: sealed.line, isStep: record.type === 'step' };
    });
    const bytes = lines.reduce((sum, line) => sum + line.bytes.length, 0);
    const fileBytes = (inNewFile ? 0 : this.#fileBytes) + bytes;
    const isTooLong = lines.some((line) => line.bytes.length > this.#lineBytesMax);
    if (isTooLong || fileBytes > this.#options.fileBytesMax || !this.#queue.hasRoom(bytes)) return false;
    if (inNewFile) this.#part += 1;
    this.#end = end;
    this.#fileBytes = fileBytes;
    this.#queue.put(lines, inNewFile);
    return true;
  }

  get #lineBytesMax(): number {
    return Math.min(FLIGHT_LINE_BYTES_MAX, this.#options.fileBytesMax);
  }

  #guarded(run: () => void): void {
    if (this.#isOver) return;
    try {
      run();
    } catch (error) {
      this.#queue.abandon();
      this.#stopBy(error);
    }
  }

  #stopBy(error: unknown): void {
    this.#isOver = true;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.onFault(error);
  }
}
