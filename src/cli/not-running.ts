import type { DataDirectory } from '../io/data-directory.ts';
import { levelVersionIndex } from '../io/level/level-version-index.ts';

/**
 * Does something to the files of a node that does not run: its index store locks the directory for as long as a node
 * runs, and for as long as this does.
 *
 * @throws ReplichartError when a node holds the directory.
 */
export async function whileNotRunning<Result>(
  directory: DataDirectory,
  work: () => Promise<Result>,
): Promise<Result> {
  const store = levelVersionIndex(directory.files, directory.indexDirectory);
  const index = (await store.exists()) ? await store.open() : null;
  try {
    return await work();
  } finally {
    await index?.close();
  }
}
