import type { Logger } from 'pino';
import type { InspectionEvent } from 'xstate';
import type { FileSystem } from '../io/file-system.ts';
import type { WalSource } from '../io/wal-source.ts';
import type { VersionIndexStore } from '../io/version-index.ts';
import type { WrapEffect } from './effects.ts';

/** Everything that is not pure, handed in, so that a whole node can run in a simulation. */
export interface NodePorts {
  readonly files: FileSystem;
  /** The index store for a directory. */
  readonly indexStore: (files: FileSystem, directory: string) => VersionIndexStore;
  /** A host's own source of history; left out, HTTP to the primary. */
  readonly walSource?: (() => WalSource) | undefined;
  readonly logger: Logger;
  /** Sees what the logger's transition lines are made of: every event, microstep and actor of the chart. */
  readonly inspect?: (inspection: InspectionEvent) => void;
  readonly newUuid: () => string;
  /**
   * A host's own wrapping of the effects, for tests and tracing: called once for each, by its name in the chart, before
   * the node starts. What it answers is judged by the chart like any other answer.
   */
  readonly wrapEffect?: WrapEffect | undefined;
}
