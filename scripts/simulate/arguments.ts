/** What the command line of the simulation says, or why it cannot be understood. */
import { parseArgs } from 'node:util';

export const HELP = `Simulates clusters: real nodes on simulated disks and networks, with faults drawn from a seed.

  npm run simulate -- [--seeds N] [--from S] [--json]
  npm run simulate -- --seed S [--plan FILE] [--json]

  --seeds N    how many seeds; 100 unless told
  --from S     the first of them; 1 unless told
  --seed S     this one only, with every step of it
  --plan FILE  a plan that was printed for a failing seed, in place of the one that is drawn
  --json       the result as one JSON object
  --help       this text

Progress and transcripts go to standard error. Exit codes: 0 every property held, 1 one did not, 2 usage.

  npm run simulate -- --seeds 1000 --from 1
`;

export type Arguments =
  | { readonly kind: 'help' }
  | { readonly kind: 'usage'; readonly problem: string }
  | { readonly kind: 'seeds'; readonly from: number; readonly seeds: number; readonly json: boolean }
  | { readonly kind: 'one'; readonly seed: number; readonly plan: string | null; readonly json: boolean };

export function argumentsOf(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: 'string' },
        from: { type: 'string' },
        seed: { type: 'string' },
        plan: { type: 'string' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    const { json, plan = null } = values;
    if (values.help) return { kind: 'help' };
    if (values.seed === undefined) {
      if (plan !== null) return { kind: 'usage', problem: '--plan needs --seed' };
      return {
        kind: 'seeds',
        from: whole('from', values.from ?? '1'),
        seeds: whole('seeds', values.seeds ?? '100'),
        json,
      };
    }
    if (values.seeds !== undefined || values.from !== undefined)
      return { kind: 'usage', problem: '--seed is one seed; --seeds and --from are many' };
    return { kind: 'one', seed: whole('seed', values.seed), plan, json };
  } catch (error) {
    return { kind: 'usage', problem: error instanceof Error ? error.message : String(error) };
  }
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0x7fff_ffff)
    throw new Error(`--${name} is a whole number, not '${text}'`);
  return value;
}
