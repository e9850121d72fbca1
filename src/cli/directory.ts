import { resolve } from 'node:path';
import { ReplichartError } from '../core/errors.ts';
import type { Identity } from '../core/identity.ts';
import { FORMAT_VERSION } from '../core/limits.ts';
import { DataDirectory } from '../io/data-directory.ts';
import { nodeFileSystem } from '../io/node-file-system.ts';

/** The data directory of a node, running or not, and whose it is: for commands that only read. */
export async function directoryOf(
  data: string,
): Promise<{ readonly directory: DataDirectory; readonly identity: Identity }> {
  const directory = new DataDirectory(nodeFileSystem, resolve(data));
  const found = await directory.readIdentity();
  if (found.state === 'absent' && found.dataFiles.length > 0)
    throw new ReplichartError('IDENTITY_MISSING', `${data} holds files, but no identity`, {
      evidence: { directory: directory.root, files: found.dataFiles },
    });
  if (found.state === 'absent')
    throw new ReplichartError('REQUEST_INVALID', `${data} is no data directory of a node`);
  if (found.state === 'damaged')
    throw new ReplichartError('IDENTITY_DAMAGED', `the identity file in ${data} is damaged`, {
      evidence: { file: directory.identityFile, expected: found.expected, found: found.found },
    });
  const { identity } = found;
  if (identity.formatVersion !== FORMAT_VERSION)
    throw new ReplichartError('FORMAT_UNSUPPORTED', `${data} has format version ${identity.formatVersion}`, {
      evidence: { expected: FORMAT_VERSION, found: identity.formatVersion },
    });
  return { directory, identity };
}
