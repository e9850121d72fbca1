import type { JsonObject } from '../core/bytes.ts';
import { ReplichartError } from '../core/errors.ts';
import type { Explanation } from '../core/explain/explanation.ts';
import { explainReads } from '../core/explain/replication.ts';
import { positionOf, type Position } from '../core/position.ts';
import { admissionOf, type Admission, type ReadFacts, type ViewFacts } from '../core/read-safety.ts';
import { locatePosition } from '../io/wal/position.ts';
import { explainUnread } from './explain-read.ts';
import type { OpenStorage } from './node-storage.ts';
import { ReadView } from './read-view.ts';
import type { NodeSnapshot, ViewRequest } from './node-snapshot.ts';
import { stateOf } from '../core/state-line.ts';

/** What became of a read; `failed`: it could not be decided, or ended with an error after it was admitted. */
export type ReadOutcome = 'admitted' | 'deferred' | 'refused' | 'failed';

export interface ReadGatePorts {
  readonly snapshot: () => NodeSnapshot;
  readonly applied: () => ReadFacts['applied'];
  readonly open: () => OpenStorage | null;
  /** Calls the listener after every transition. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Told of every outcome; `reason` is the rule that refuses, and empty for everything else. */
  readonly count?: (outcome: ReadOutcome, reason: string) => void;
}

type Token = ViewFacts['token'];

interface WaitingRead {
  readonly request: ViewRequest;
  readonly token: Token;
  readonly resolve: (view: ReadView) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Admits reads, on primary and replica alike (P5-I7). The predicate is evaluated and the view made in one go, so that
 * nothing can change between the two (F-RS2); what is admitted keeps its view whatever is applied afterwards.
 */
export class ReadGate {
  readonly #ports: ReadGatePorts;
  #waiting: WaitingRead[] = [];

  constructor(ports: ReadGatePorts) {
    this.#ports = ports;
    ports.subscribe(() => this.#lookAgain());
  }

  /** Runs `use` on an admitted view. @throws ReplichartError with the explanation of the refusal. */
  async read<Result>(use: (view: ReadView) => Promise<Result>, request: ViewRequest = {}): Promise<Result> {
    // Whether a position is in history never changes, so it may be looked up before the gate decides.
    let token = await this.#counted(() => this.#lookUp(request));
    while (this.#isOutdated(token)) token = await this.#counted(() => this.#lookUp(request));
    const view = await new Promise<ReadView>((resolve, reject) => {
      const waiting: WaitingRead = { request, token, resolve, reject };
      if (this.#decide(waiting)) return;
      this.#count('deferred');
      this.#waiting.push(waiting);
    });
    return this.#counted(() => use(view));
  }

  /** What the gate says of a view at this moment, without reading. */
  facts(request: ViewRequest = {}, token: Token = null): ReadFacts {
    const snapshot = this.#ports.snapshot();
    const { input, identity, halt, receivedLsn, validated, inFlight } = snapshot.context;
    const applied = this.#ports.applied();
    const commitId = request.position?.commitId ?? request.at ?? applied?.commitId ?? null;
    return {
      role: input.role,
      clusterId: identity?.clusterId ?? null,
      state: stateOf(snapshot),
      halt,
      receivedLsn,
      validated,
      applied,
      inFlight,
      view: { commitId, token },
    };
  }

  /** Why a read of a view is safe or is not: every rule with its evidence. */
  async explain(request: ViewRequest = {}): Promise<Explanation> {
    let token = await this.#lookUp(request);
    while (this.#isOutdated(token)) token = await this.#lookUp(request);
    return explainReads(this.facts(request, token));
  }

  #count(outcome: ReadOutcome, reason = ''): void {
    this.#ports.count?.(outcome, reason);
  }

  async #counted<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.#count('failed');
      throw error;
    }
  }

  /** Which version of a document a read would give, and why; or why it would be refused. Waits as the read would. */
  async explainRead(collection: Buffer, id: Buffer, request: ViewRequest = {}): Promise<Explanation> {
    try {
      return await this.read((view) => view.explain(collection, id), request);
    } catch (error) {
      const facts = refusedOn.get(error as object);
      if (facts === undefined) throw error;
      return explainUnread(facts, collection, id, null);
    }
  }

  /** `true` when the read was admitted or refused. */
  #decide({ request, token, resolve, reject }: WaitingRead): boolean {
    const facts = this.facts(request, token);
    const admission: Admission = admissionOf(facts);
    if (admission.kind === 'deferred') return false;
    const open = this.#ports.open();
    if (
      admission.kind === 'refused' ||
      open === null ||
      facts.applied === null ||
      facts.view.commitId === null
    ) {
      this.#count('refused', admission.kind === 'refused' ? admission.check.rule : '');
      reject(refusal(facts, admission));
    } else {
      this.#count('admitted');
      resolve(new ReadView(open.storage.resolver, facts.view.commitId, positionOf(facts.applied), facts));
    }
    return true;
  }

  #lookAgain(): void {
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.filter((read) => !this.#decide(read));
  }

  /** Whether a position that lay ahead when it was looked up does not any more. */
  #isOutdated(token: Token): boolean {
    const isOpen = this.#ports.open() !== null;
    return isOpen && token?.found === 'ahead' && isAtOrBelow(token.position, this.#ports.applied());
  }

  async #lookUp({ position }: ViewRequest): Promise<Token> {
    if (position === undefined) return null;
    const open = this.#ports.open();
    const end = this.#ports.applied();
    if (end !== null && !isAtOrBelow(position, end)) return { position, found: 'ahead', foundHash: null };
    if (open === null || end === null) return { position, found: 'not looked up', foundHash: null };
    try {
      const found = await locatePosition(open.wal, { ...end }, { lsn: position.lsn });
      const same = found.historyHash === position.historyHash && position.commitId <= found.commitId;
      return { position, found: same ? 'in history' : 'not in history', foundHash: found.historyHash };
    } catch (error) {
      const code = error instanceof ReplichartError ? error.code : null;
      if (code === 'WAL_PRUNED') return { position, found: 'before what is kept', foundHash: null };
      if (code === 'POSITION_INVALID') return { position, found: 'not in history', foundHash: null };
      // Anything else, damaged WAL above all, says nothing of whose history the position is of.
      throw error;
    }
  }
}

function isAtOrBelow({ lsn, commitId }: Position, end: ReadFacts['applied']): boolean {
  return end !== null && lsn <= end.lsn && commitId <= end.commitId;
}

/** The facts that a refusal was decided on. */
const refusedOn = new WeakMap<object, ReadFacts>();

function refusal(facts: ReadFacts, admission: Admission): ReplichartError {
  const error = refusalError(facts, admission);
  refusedOn.set(error, facts);
  return error;
}

function refusalError(facts: ReadFacts, admission: Admission): ReplichartError {
  const explanation = explainReads(facts);
  if (admission.kind !== 'refused')
    return new ReplichartError('READS_BLOCKED', 'the files of the node are closed');
  const { check } = admission;
  const code = check.code(facts);
  return new ReplichartError(code, `the read is refused: ${check.rule} does not hold`, {
    invariant: check.invariant,
    evidence: {
      rule: check.rule,
      ...check.evidence(facts),
      explanation: explanation as unknown as JsonObject,
    },
  });
}
