import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BenchFailure } from '../../src/bench/failure.ts';

const SCRIPT = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? 'install-peers' : '../../../bench/peers/install-peers',
    import.meta.url,
  ),
);

/** Installs what is absent of these systems; it is given the environment of whoever runs the bench, as a way out may be named there. */
export async function installPeers(systems: readonly string[], signal: AbortSignal): Promise<void> {
  if (systems.length === 0) return;
  try {
    await promisify(execFile)(SCRIPT, [...systems], { signal });
  } catch (error) {
    signal.throwIfAborted();
    const { stderr = '', message } = error as Error & { stderr?: string };
    throw new BenchFailure(`${systems.join(' and ')} cannot be installed: ${stderr.trim() || message}`, {
      cause: error,
    });
  }
}
