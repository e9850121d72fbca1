import { resolve } from 'node:path';
import type { JsonObject } from '../core/bytes.ts';
import { verdictOf, type Check } from '../core/checks/check.ts';
import {
  clusterIsUnchanged,
  formatIsKnown,
  identityIsReadable,
  nodeIsUnchanged,
  roleIsUnchanged,
  type IdentityFacts,
} from '../core/checks/identity.ts';
import { noHaltIsRecorded } from '../core/checks/recovery.ts';
import type { NodeConfig } from '../core/config.ts';
import { describeError, ERRORS, ReplichartError, type ErrorCode } from '../core/errors.ts';
import { effectFault, haltByFault } from '../core/halt.ts';
import type { IdentityFound } from '../core/identity.ts';
import { configFileChecks } from '../io/config-files.ts';
import { DataDirectory } from '../io/data-directory.ts';
import { readHalt } from '../io/halt-file.ts';
import { nodeFileSystem } from '../io/node-file-system.ts';

interface Looked {
  /** The rule where the chart has one, otherwise what was looked at. */
  readonly check: string;
  readonly detail: string;
  readonly evidence: JsonObject;
}

/** One thing that a start meets; where it would be stopped by it, with the error that it would give. */
export type StartCheck =
  | (Looked & { readonly ok: true; readonly code: null })
  | (Looked & { readonly ok: false; readonly code: ErrorCode });

/** The chart proves these one after the other (machines/1-role.ts). */
const IDENTITY_CHECKS = [
  identityIsReadable,
  formatIsKnown,
  roleIsUnchanged,
  clusterIsUnchanged,
  nodeIsUnchanged,
] as const;

/**
 * What a start of this configuration would meet on this machine, in the order in which it would. Files are read and
 * nothing is changed: no port is bound, no lock is taken, the primary is not asked.
 */
export async function startChecks(config: NodeConfig): Promise<readonly StartCheck[]> {
  const checks: StartCheck[] = [];
  for (const { check, claim, prove } of configFileChecks(config))
    checks.push(await proved(check, claim, prove));
  return [...checks, ...(await directoryChecks(config))];
}

async function directoryChecks(config: NodeConfig): Promise<readonly StartCheck[]> {
  const directory = new DataDirectory(nodeFileSystem, resolve(config.dataDir));
  try {
    const exists = (await directory.files.stat(directory.root)) !== null;
    const found = await directory.readIdentity();
    const facts: IdentityFacts = {
      role: config.role,
      clusterId: config.clusterId ?? null,
      nodeId: config.nodeId ?? null,
      found,
    };
    return [
      holding('data_directory', directoryText(exists, found), { directory: directory.root }),
      ...IDENTITY_CHECKS.map((check) => judged(check, facts)),
      ...(await haltChecks(config, directory)),
    ];
  } catch (error) {
    // A start reads these files as well, and halts by the same fault.
    const { code, message } = haltByFault(effectFault('readIdentity', error));
    return [failing('data_directory', code, message, describeError(error))];
  }
}

async function haltChecks(config: NodeConfig, directory: DataDirectory): Promise<readonly StartCheck[]> {
  // A replica that takes no part in replication rests, whatever is recorded.
  if (config.role === 'replica' && config.replication === 'disabled') return [];
  const recordedHalt = await readHalt(directory);
  const row = judged(noHaltIsRecorded, { recordedHalt, survey: null });
  return [recordedHalt === null ? row : { ...row, detail: `the node has halted: ${recordedHalt.message}` }];
}

function directoryText(exists: boolean, found: IdentityFound): string {
  if (found.state === 'present') {
    const { role, nodeId, clusterId } = found.identity;
    return `it is the directory of ${role} ${nodeId} of cluster ${clusterId}`;
  }
  if (!exists) return 'it does not exist: a start makes it';
  if (found.state === 'damaged') return 'it exists, and nobody can say whose it is';
  return found.dataFiles.length === 0
    ? 'it is empty: a start makes it its own'
    : 'it holds files, and no identity';
}

function judged<Facts>(check: Check<Facts>, facts: Facts): StartCheck {
  const { rule, description, evaluation, evidence } = verdictOf(check, facts);
  if (evaluation === 'holds') return holding(rule, description, evidence);
  const code = check.code(facts);
  return failing(rule, code, ERRORS[code].meaning, evidence);
}

async function proved(check: string, claim: string, prove: () => Promise<void>): Promise<StartCheck> {
  try {
    await prove();
    return holding(check, claim, {});
  } catch (error) {
    if (!(error instanceof ReplichartError)) throw error;
    return failing(check, error.code, error.message, error.evidence);
  }
}

function holding(check: string, detail: string, evidence: JsonObject): StartCheck {
  return { check, ok: true, code: null, detail, evidence };
}

function failing(check: string, code: ErrorCode, detail: string, evidence: JsonObject): StartCheck {
  return { check, ok: false, code, detail, evidence };
}
