import type { Json } from '../core/bytes.ts';
import { positionToJson, type Position } from '../core/position.ts';
import type { ChainState } from '../core/wal/chain.ts';
import type { Difference } from './difference.ts';
import type { ProvenHistory } from './history.ts';

/** What came up while an explanation was derived again. */
export class Derivation {
  readonly differences: Difference[] = [];
  /** What the files can neither confirm nor deny. */
  readonly undetermined: string[] = [];
  /** What is of a moment of the process, and leaves no trace in files. */
  readonly notInFiles: string[] = [];

  differs(path: string, stated: Json, derived: Json): void {
    this.differences.push({ path, stated, derived });
  }
}

/** Looks up stated positions in proven history. */
export class PositionsIn {
  readonly #history: ProvenHistory;
  readonly #derivation: Derivation;

  constructor(history: ProvenHistory, derivation: Derivation) {
    this.#history = history;
    this.#derivation = derivation;
  }

  /** The chain at an LSN; `null` where none follows from the files, which is said. */
  chainAt(path: string, lsn: number): ChainState | null {
    const { beginning, end, stop, chains } = this.#history;
    const chain = chains.get(lsn);
    if (chain !== undefined) return chain;
    if (lsn < beginning.chain.lsn)
      this.#derivation.undetermined.push(`${path}: LSN ${lsn} lies before the WAL that is kept`);
    else if (lsn > end.lsn && stop !== null)
      this.#derivation.differs(path, lsn, `the WAL is proved to LSN ${end.lsn} only: ${stop.rule}`);
    else if (lsn > end.lsn)
      this.#derivation.undetermined.push(
        `${path}: LSN ${lsn} lies behind what is proved, which ends at ${end.lsn}`,
      );
    else this.#derivation.differs(path, lsn, 'no unit of history begins or ends at this LSN');
    return null;
  }

  /** The position that history has at the LSN of a stated one; the stated one where nothing follows. */
  position(path: string, stated: Position): Position {
    const chain = this.chainAt(path, stated.lsn);
    if (chain === null) return stated;
    const { commitId, lsn, historyHash } = chain;
    if (commitId !== stated.commitId || historyHash !== stated.historyHash)
      this.#derivation.differs(path, positionToJson(stated), positionToJson(chain));
    return { commitId, lsn, historyHash };
  }
}
