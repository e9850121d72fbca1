import { join } from 'node:path';
import { directoryOf } from '../../src/cli/directory.ts';
import { nodeFileSystem } from '../../src/io/node-file-system.ts';
import type { EvidenceSource } from '../../src/verify/evidence.ts';
import { verifyExplanation, type Verification } from '../../src/verify/verify.ts';

export const ownFiles = async (dataDir: string): Promise<EvidenceSource> => ({
  kind: 'own files',
  ...(await directoryOf(dataDir)),
});

export const filesOfPrimary = async (dataDir: string): Promise<EvidenceSource> => ({
  kind: 'files of the primary',
  ...(await directoryOf(dataDir)),
});

export const segmentsOf = (dataDir: string): EvidenceSource => ({
  kind: 'segment files',
  files: nodeFileSystem,
  walDirectory: join(dataDir, 'wal'),
});

/** What was said, as it comes out of JSON. */
export const throughJson = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

export async function verified(given: unknown, source: EvidenceSource): Promise<Verification> {
  return verifyExplanation(throughJson(given), source);
}

/** The verdict, and what speaks against it: what a failing test has to show. */
export async function verdictOf(given: unknown, source: EvidenceSource) {
  const { verdict, differences, undetermined } = await verified(given, source);
  return { verdict, differences, undetermined };
}

export const VERIFIED = { verdict: 'verified', differences: [], undetermined: [] };
