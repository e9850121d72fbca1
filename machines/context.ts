/**
 * What a node remembers between two events: facts and positions, never bytes. Files are the source of truth; this is
 * what was last observed of them.
 */
import type { FetchFacts, InstalledFacts, ResumeFacts, VerifiedFacts } from '../src/core/bootstrap.ts';
import type { IdentityFound, Identity, Role } from '../src/core/identity.ts';
import type { EffectFault, HaltReason } from '../src/core/halt.ts';
import type { AttachFacts, MeetFacts, ReceiptFacts } from '../src/core/ingress.ts';
import type { ChainState } from '../src/core/wal/chain.ts';
import type { ValidationFacts } from '../src/core/validation.ts';
import type { ApplicationFacts, ProvenRange } from '../src/core/application.ts';
import type { Checkpoint } from '../src/core/storage/checkpoint.ts';
import type { RecoveryPlan } from '../src/core/recovery/decision.ts';
import type { RepairFacts } from '../src/core/recovery/repair.ts';
import type { DiskSurvey } from '../src/core/recovery/survey.ts';
import type { Position } from '../src/core/position.ts';

/** What the configuration says, as far as the lifecycle depends on it. */
export interface NodeInput {
  readonly role: Role;
  readonly replication: 'disabled' | 'enabled';
  readonly bootstrap: 'wal' | 'snapshot';
  readonly clusterId: string | null;
  readonly nodeId: string | null;
}

export interface NodeContext {
  readonly input: NodeInput;
  readonly identityFound: IdentityFound | null;
  readonly identity: Identity | null;
  readonly recordedHalt: HaltReason | null;
  readonly survey: DiskSurvey | null;
  /** How far the index has come, as its own checkpoint says. */
  readonly applied: Checkpoint | null;
  /** Proven WAL that waits to be applied, in order. */
  readonly proven: readonly ProvenRange[];
  /** The batch that is being applied at this moment. */
  readonly inFlight: ProvenRange | null;
  readonly application: ApplicationFacts | null;
  /** What the primary last said of itself, and of its durable history. */
  readonly meeting: MeetFacts | null;
  readonly primaryDurable: Position | null;
  /** Where the durable received WAL ends. */
  readonly receivedLsn: number | null;
  /** Where the proven WAL ends. */
  readonly validated: ChainState | null;
  readonly validation: ValidationFacts | null;
  readonly attachment: AttachFacts | null;
  readonly receipt: ReceiptFacts | null;
  /** What recovery decided, and what it discarded. */
  readonly plan: RecoveryPlan | null;
  readonly repair: RepairFacts | null;
  readonly fetched: FetchFacts | null;
  readonly verified: VerifiedFacts | null;
  readonly resume: ResumeFacts | null;
  readonly installed: InstalledFacts | null;
  /** Why ingress is detached. */
  readonly detachment: string | null;
  /** Where the bytes that caused the halt are kept. */
  readonly evidenceFile: string | null;
  readonly halt: HaltReason | null;
  /** Why the halt record could not be written; the halt holds all the same. */
  readonly haltRecordFault: EffectFault | null;
}

export function initialContext(input: NodeInput): NodeContext {
  return {
    input,
    identityFound: null,
    identity: null,
    recordedHalt: null,
    survey: null,
    applied: null,
    proven: [],
    inFlight: null,
    application: null,
    meeting: null,
    primaryDurable: null,
    receivedLsn: null,
    validated: null,
    validation: null,
    attachment: null,
    receipt: null,
    plan: null,
    repair: null,
    fetched: null,
    verified: null,
    resume: null,
    installed: null,
    detachment: null,
    evidenceFile: null,
    halt: null,
    haltRecordFault: null,
  };
}

/** What a host, an operator or the write path tells a node; everything else it learns from its own effects. */
export type NodeEvent =
  | { readonly type: 'node.stop' }
  | { readonly type: 'replica.attach' }
  | { readonly type: 'storage.failed'; readonly fault: EffectFault };
