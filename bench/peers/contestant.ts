import type { Summary } from '../../src/bench/statistics.ts';

/** A follower that had nothing and now has all of W1. */
export interface CatchUp {
  /** From the spawn of its process, unless the contestant says otherwise. */
  readonly milliseconds: number;
  /** From the moment at which its process takes connections. */
  readonly milliseconds_from_ready: number;
  readonly documents: number;
  /** By the time from the spawn. */
  readonly docs_per_second: number;
  /** The most memory that its processes held together until then; `null` where the system does not tell it. */
  readonly peak_memory_bytes: number | null;
}

export interface Bootstrap {
  /** From the request for a copy until the follower answers reads of W1. */
  readonly milliseconds: number;
  /** What had to be made before on the primary, where anything had; not in `milliseconds`. */
  readonly prepared_in_milliseconds: number;
}

export interface Lag {
  readonly commits: number;
  /** From the acknowledgement of the primary to the first answer of the follower that has the document. */
  readonly lag_milliseconds: Summary | null;
  /** One question to the follower and its answer: below this no lag can be seen. */
  readonly poll_milliseconds: Summary | null;
  readonly write_milliseconds: Summary | null;
}

/** Commits a second that the primary acknowledges as durable. */
export interface CommitRate {
  readonly clients: number;
  readonly commits_per_second: number;
}

/** A follower that is in sync, and its primary. */
export interface LiveFollower {
  /** Writes document `n` of W1 to the primary; resolves when it is acknowledged. */
  write(n: number): Promise<void>;
  /** Whether the follower answers with document `n`. */
  isVisible(n: number): Promise<boolean>;
  end(): Promise<void>;
}

export interface CaughtUp {
  readonly figures: CatchUp;
  /** Makes the follower ready to be watched; it need not be asked for. */
  live(): Promise<LiveFollower>;
  /** Ends the follower and removes what it has; also where it was made live. */
  end(): Promise<void>;
}

/** One system that does the same work as the others, on its own data in the directory of the run. */
export interface Contestant {
  readonly name: string;
  readonly version: string;
  /** Its primary has all of W1, and followers can begin from nothing. */
  prepare(): Promise<void>;
  catchUp(round: number): Promise<CaughtUp>;
  bootstrap(round: number): Promise<Bootstrap>;
  /** `null` where this bench does not measure it. */
  commitRate(clients: number, seconds: number): Promise<CommitRate | null>;
}

/** What every contestant is made with. */
export interface Work {
  readonly directory: string;
  readonly documents: number;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  /** Waits until nothing is left to be written to disk: what was done before a time is not to be paid within it. */
  readonly settle: () => Promise<void>;
}
