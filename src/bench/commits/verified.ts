import { directoryOf } from '../../cli/directory.ts';
import { verifyWal } from '../../io/wal/verify.ts';
import { BenchFailure } from '../failure.ts';

/**
 * Proves the whole WAL of a primary, and that it ends with the last commit that was acknowledged.
 *
 * @returns the bytes that were proved.
 */
export async function verifiedBytes(dataDirectory: string, commitId: number): Promise<number> {
  const { directory, identity } = await directoryOf(dataDirectory);
  const { verdict, provenTo, bytes, stop } = await verifyWal(directory, identity);
  if (verdict === 'clean' && provenTo?.commitId === commitId) return bytes;
  throw new BenchFailure(
    `the WAL is ${verdict} up to commit ${provenTo?.commitId ?? 'unknown'}, and ${commitId} was acknowledged: ${JSON.stringify(stop)}`,
  );
}
