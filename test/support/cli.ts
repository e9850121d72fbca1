import { vi } from 'vitest';
import { runCli } from '../../src/cli/run.ts';

export interface Ran {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, and keeps what it prints. */
export async function cli(args: readonly string[]): Promise<Ran> {
  const printed = { out: '', err: '' };
  const spies = (['out', 'err'] as const).map((stream) =>
    vi.spyOn(stream === 'out' ? process.stdout : process.stderr, 'write').mockImplementation((text) => {
      printed[stream] += String(text);
      return true;
    }),
  );
  try {
    return { exit: await runCli(args), ...printed };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** The same with `--json`: what was printed, read. */
export async function cliJson<Body = Record<string, unknown>>(
  args: readonly string[],
): Promise<{ readonly exit: number; readonly body: Body; readonly err: string }> {
  const { exit, out, err } = await cli([...args, '--json']);
  return { exit, body: JSON.parse(out) as Body, err };
}
