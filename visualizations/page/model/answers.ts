/** What a node answers, in the shapes of its own contract: types only, so nothing of the server comes into the page. */
import type * as z from 'zod';
import type { getStatus, getWal } from '../../../src/http/contract/dx.ts';
import type { AnswerOf, Endpoint } from '../../../src/http/contract/endpoint.ts';
import type { halt, position } from '../../../src/http/contract/shapes.ts';
import type {
  explainReplication,
  getMachine,
  missedEvent,
  transitionEvent,
} from '../../../src/http/contract/why.ts';

type DataOf<Of extends Endpoint> = AnswerOf<Of> extends { data: infer Data } ? Data : never;

export type Status = DataOf<typeof getStatus>;
export type Wal = DataOf<typeof getWal>;
export type Machine = DataOf<typeof getMachine>;
export type Candidate = Machine['candidates'][number];
export type Explanation = DataOf<typeof explainReplication>;
export type Rule = Explanation['rules_applied'][number];
export type Halt = z.infer<typeof halt>;
export type Position = z.infer<typeof position>;
export type TransitionRecord = z.infer<typeof transitionEvent>;
export type MissedRecord = z.infer<typeof missedEvent>;
