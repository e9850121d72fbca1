import type { Json, JsonObject } from '../bytes.ts';
import type { Print } from './print.ts';

export const FLIGHT_MAGIC = 'replichart-flight';
export const FLIGHT_FORMAT_VERSION = 1;

/** A whole chart at rest, from which it can go on. */
export interface ChartPoint {
  /** Macrosteps and transitions of this run that came before, lost ones included. */
  readonly step: number;
  readonly sequence: number;
  readonly status: string;
  readonly state: string;
  readonly value: Json;
  readonly context: JsonObject;
  readonly digest: string;
}

/** The first record of a file. */
export interface HeaderRecord {
  readonly type: 'header';
  readonly magic: typeof FLIGHT_MAGIC;
  readonly format: number;
  readonly chart: 'node' | 'primary';
  readonly run: string;
  /** The place of this file among those of its run, from 1. */
  readonly part: number;
  /** The checksum that the line before had, in the file before; zeros in the first part. */
  readonly after: string;
  readonly node_id: string | null;
  readonly cluster_id: string | null;
  readonly point: ChartPoint;
}

export interface MoveVerdict {
  readonly rule_id: string;
  readonly evaluation: string;
  /** Left out where the rule holds. */
  readonly evidence?: JsonObject;
}

/** One microstep. */
export interface Move {
  /** The number that the transition has in `/v1/events`. */
  readonly sequence: number;
  /** The ids of the transitions that were taken; none where nothing answers to the event. */
  readonly transitions: readonly string[];
  /** The innermost states that were entered. */
  readonly entered: readonly string[];
  /** The invariants that were asked on the way, in order. */
  readonly verdicts: readonly MoveVerdict[];
}

/** What the chart made of one event: everything that a replay compares. */
export interface StepOutcome {
  readonly moves: readonly Move[];
  readonly status: string;
  readonly state: string;
  /** Of received, validated, applied WAL and of the primary: those that the step moved. */
  readonly positions: JsonObject;
  readonly changed: { readonly [field: string]: Print };
  readonly digest: string;
}

export interface StepRecord extends StepOutcome {
  readonly type: 'step';
  readonly step: number;
  readonly event: JsonObject;
}

/** Steps that were not recorded, and where the chart stood after them. */
export interface GapRecord {
  readonly type: 'gap';
  readonly lost: number;
  readonly point: ChartPoint;
}

/** The chart itself threw at this event, which is a bug. */
export interface FailedRecord {
  readonly type: 'failed';
  readonly step: number;
  readonly event: JsonObject;
  readonly error: JsonObject;
}

/** The recorder was closed in order: nothing is missing behind this. */
export interface EndRecord {
  readonly type: 'end';
  readonly step: number;
}

export type FlightRecord = HeaderRecord | StepRecord | GapRecord | FailedRecord | EndRecord;
export const RECORD_TYPES: readonly string[] = [
  'header',
  'step',
  'gap',
  'failed',
  'end',
] satisfies readonly FlightRecord['type'][];
