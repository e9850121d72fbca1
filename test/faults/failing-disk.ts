/** A simulated disk whose operations fail where they are told to. */
import { systemError, type Operation, type SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { EVERYTHING } from '../../scripts/simulate/survivors.ts';
import { HOME } from './simulated-nodes.ts';

export interface Failure {
  /** The number of the operation that fails. */
  readonly at: number;
  readonly code: 'EIO' | 'ENOSPC';
  readonly lasts: 'once' | 'for ever';
  /** What of the failing operation is done all the same: for an append, how many of its bytes. */
  readonly done: 'nothing' | 'all' | number;
}

export const failureText = ({ code, lasts, done }: Failure): string => {
  const part =
    done === 'nothing' ? '' : done === 'all' ? ', done all the same' : `, ${done} bytes of it done`;
  return `${code} ${lasts}${part}`;
};

/** A disk and what of it has failed so far. */
export class FailingDisk {
  readonly disk: SimulatedDisk;
  readonly failed: Operation[] = [];

  constructor(prepared: SimulatedDisk, { at, code, lasts, done }: Failure) {
    this.disk = prepared.after(EVERYTHING);
    this.disk.inject = (operation) => {
      const fails = lasts === 'once' ? operation.number === at : operation.number >= at;
      if (!fails) return undefined;
      this.failed.push(operation);
      const error = systemError(code, operation.path);
      // Only the first of them may be done in part: a disk that is full stays so.
      if (done === 'nothing' || operation.number !== at) return { error };
      return { error, writes: done === 'all' ? operation.bytes : done };
    };
  }

  /** Whether something failed that the node itself rests on. A snapshot that cannot be made is refused, and that is all. */
  get hasFailed(): boolean {
    return this.failed.some((operation) => !isOfSnapshot(operation));
  }
}

/** A primary that runs syncs its own directory only for a new snapshot directory, and for a halt record behind a failure. */
const isOfSnapshot = ({ name, path }: Operation): boolean =>
  path === `${HOME}/snapshots` ||
  path.startsWith(`${HOME}/snapshots/`) ||
  (name === 'syncDirectory' && path === HOME);
