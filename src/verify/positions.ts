import { positionOf, type Position } from '../core/position.ts';
import { genesisChain, type ChainState } from '../core/wal/chain.ts';
import type { Evidence } from './evidence.ts';
import type { Findings } from './findings.ts';

/** Looks up stated positions in proven history. */
export class PositionsIn {
  readonly #evidence: Evidence;
  readonly #findings: Findings;
  readonly #isLost: boolean;

  /** `isLost`: what was stated says itself that WAL is missing or broken, so its absence contradicts nothing. */
  constructor(evidence: Evidence, findings: Findings, isLost = false) {
    this.#evidence = evidence;
    this.#findings = findings;
    this.#isLost = isLost;
  }

  /** The chain at an LSN; `null` where none follows from the files, which is said. */
  chainAt(path: string, lsn: number): ChainState | null {
    const { own, history } = this.#evidence;
    const { beginning, end, stop, chains } = history;
    const chain = chains.get(lsn);
    if (chain !== undefined) return chain;
    // History begins in the same way wherever the WAL that is kept begins.
    if (lsn === 0) return genesisChain(beginning.chain.clusterId);
    const provedTo = `history is proved to LSN ${end.lsn}${stop === null ? '' : `: ${stop.rule}`}`;
    if (lsn < beginning.chain.lsn)
      this.#findings.cannotTell(path, `LSN ${lsn} lies before the WAL that is kept`);
    // A node holds durably what it stands at, and its repair cuts nothing that is proved.
    else if (lsn > end.lsn && !this.#isLost && (own !== null || stop?.kind === 'invalid'))
      this.#findings.differs(path, lsn, provedTo);
    else if (lsn > end.lsn)
      this.#findings.cannotTell(path, `LSN ${lsn} is behind what is there, ${provedTo}`);
    else this.#findings.differs(path, lsn, 'no unit of history begins or ends at this LSN');
    return null;
  }

  /** The position that history has at the LSN of a stated one; the stated one where nothing follows. */
  position(path: string, stated: Position): Position {
    return positionOf(this.chainAt(path, stated.lsn) ?? stated);
  }
}
