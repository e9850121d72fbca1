/** Every check that there is, as it is defined; and how a test turns one. */
import { vi } from 'vitest';
import * as application from '../../src/core/checks/application.ts';
import * as bootstrap from '../../src/core/checks/bootstrap.ts';
import type { Check, Evaluation } from '../../src/core/checks/check.ts';
import * as identity from '../../src/core/checks/identity.ts';
import * as ingress from '../../src/core/checks/ingress.ts';
import * as recovery from '../../src/core/checks/recovery.ts';
import * as validation from '../../src/core/checks/validation.ts';
import * as visibility from '../../src/core/checks/visibility.ts';
import * as wal from '../../src/core/checks/wal.ts';
import * as gate from '../../src/core/read-safety.ts';

type AnyCheck = Check<never>;

const isCheck = (value: unknown): value is AnyCheck =>
  typeof value === 'object' && value !== null && 'rule' in value && 'claim' in value;

/** Lists of checks and copies for another kind of facts are no definitions. */
export const allChecks: readonly AnyCheck[] = [
  application,
  bootstrap,
  identity,
  ingress,
  recovery,
  validation,
  visibility,
  wal,
  gate,
].flatMap((module) => (Object.values(module) as unknown[]).filter(isCheck));

export const VALUES = [true, false, null] as const;

export function evaluationOf(value: boolean | null): Evaluation {
  return value === null ? 'undetermined' : value ? 'holds' : 'violated';
}

/** From now on a check says this of whatever it is asked about. */
export function turned(rule: string, value: boolean | null): void {
  const check = allChecks.find((one) => one.rule === rule);
  if (check === undefined) throw new Error(`there is no check ${rule}`);
  vi.spyOn(check, 'claim').mockReturnValue(value);
}
