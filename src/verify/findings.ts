import type { Json } from '../core/bytes.ts';
import type { Difference } from './difference.ts';

/** What came up while an explanation was derived again. Each entry begins with the place that it is about. */
export class Findings {
  readonly differences: Difference[] = [];
  /** What the files can neither confirm nor deny: they do not reach that far, or have changed since. */
  readonly undetermined: string[] = [];
  /** What leaves no trace in files at all. */
  readonly notInFiles: string[] = [];

  differs(path: string, stated: Json, derived: Json): void {
    this.differences.push({ path, stated, derived });
  }

  cannotTell(path: string, why: string): void {
    this.undetermined.push(`${path}: ${why}`);
  }

  leavesNoTrace(path: string, what: string): void {
    this.notInFiles.push(`${path}: ${what}`);
  }
}
