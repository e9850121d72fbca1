import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { blocksOf } from '../support/markdown.ts';
import { afterTest, temporaryDirectory } from '../support/nodes.ts';
import { onFreePorts } from '../support/ports.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Lines that cannot be run within a test: the file that runs them instead, and what it says. */
const ELSEWHERE: Readonly<Record<string, readonly [file: string, says: string]>> = {
  'npm ci': ['.ci/run', '\nnpm ci\n'],
  'npm start': ['test/cli/demo.test.ts', "[MAIN, 'demo', ...options]"],
  'npm run build': ['package.json', '"pretest": "npm run build"'],
};
/** The line that gives the program its name; here what it stands for is on the path. */
const ALIAS = /^alias replichart="(.*)"$/;
/** What a line of the README may begin with, to be run here; nothing else is. */
const PROGRAMS = ['replichart', 'printf'];

interface Line {
  readonly command: string;
  /** What stands behind it as `# exit N`; a node exits so when it is stopped. */
  readonly exit: number;
  /** What stands in the block behind that of the line. */
  readonly output: string | null;
}

/** The lines of every block of a shell; the one behind which output is shown knows it. */
function linesOf(markdown: string): readonly Line[] {
  const blocks = blocksOf(markdown);
  return blocks.flatMap(({ language, body }, at) => {
    if (language !== 'sh') return [];
    const next = blocks[at + 1];
    const lines = body.trimEnd().split('\n');
    return lines.map((line, index) => {
      const [, command = line, exit = '0'] = /^(.*?) # exit (\d)$/.exec(line) ?? [];
      const shown = index === lines.length - 1 && next?.language === 'text' ? next.body : null;
      return { command, exit: Number(exit), output: shown };
    });
  });
}

const LINES = linesOf(README);
const RUN_HERE = LINES.filter(({ command }) => PROGRAMS.includes(command.split(' ')[0] ?? ''));
const isNode = ({ command }: Line) => /^replichart (?:primary|replica) /.test(command);

describe('the README', () => {
  test('has no line that is neither run here nor known to be run elsewhere', () => {
    const others = LINES.filter((line) => !RUN_HERE.includes(line)).map(({ command }) => command);
    expect(others).toEqual([...Object.keys(ELSEWHERE), expect.stringMatching(ALIAS)]);
    expect(RUN_HERE.length).toBeGreaterThan(10);
  });

  test.each(Object.entries(ELSEWHERE))('%s is run elsewhere', (_line, [file, says]) => {
    expect(readFileSync(join(ROOT, file), 'utf8')).toContain(says);
  });

  test('npm start is the demonstration that its test runs', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['start']).toMatch(/node dist\/src\/cli\/main\.js demo$/);
  });

  test('has blocks of known languages only, and output only behind what prints it', () => {
    const languages = blocksOf(README).map(({ language }) => language);
    expect(new Set(languages)).toEqual(new Set(['sh', 'text', 'ts', 'mermaid']));
    const orphans = languages.filter(
      (language, at) => language === 'text' && !['sh', 'ts'].includes(languages[at - 1] ?? ''),
    );
    expect(orphans).toEqual([]);
  });

  test('shows a picture that exists', () => {
    const pictures = [...README.matchAll(/!\[[^\]]+\]\(([^)]+)\)/g)].map(([, path = '']) => path);
    expect(pictures).toEqual(['docs/images/page-halted.png']);
    expect(pictures.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});

test(
  'every line of the README does what it says, from the first to the last',
  { timeout: 300_000 },
  async () => {
    const session = await newSession();
    const printed = new Map<string, string>();
    for (const line of RUN_HERE) {
      if (isNode(line)) await session.start(line);
      else {
        const { exit, out } = await session.run(line.command);
        printed.set(line.command, out);
        expect({ line: line.command, exit, out }).toEqual({
          line: line.command,
          exit: line.exit,
          out: line.output ?? out,
        });
      }
      await session.settled();
    }
    expect(await session.stop()).toEqual(
      LINES.filter(isNode).map(({ command, exit }) => ({ command, exit })),
    );

    // The rules under the picture are those that the halted replica of this run refuses by.
    const refusal = printed.get('replichart read http://127.0.0.1:7003 cities 000000001') ?? '';
    const violated = [...refusal.matchAll(/^ {2}violated: (.*)$/gm)].map(([, rule]) => rule);
    expect([...README.matchAll(/^- (P5-I\d+ .*)$/gm)].map(([, rule]) => rule)).toEqual(violated);
  },
);

/** A shell in an empty directory, in which every port of the README is a free one. */
async function newSession() {
  const directory = await temporaryDirectory();
  await symlink(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const bin = join(directory, 'bin');
  await mkdir(bin);
  const [, program = ''] = LINES.map(({ command }) => ALIAS.exec(command)).find((found) => found) ?? [];
  const built = program.replace('$PWD', ROOT);
  await writeFile(join(bin, 'replichart'), `#!/bin/sh\nexec ${built} "$@"\n`);
  await chmod(join(bin, 'replichart'), 0o755);
  const paths = [bin, dirname(process.execPath), process.env['PATH'] ?? ''];
  const env = { ...process.env, PATH: paths.join(delimiter) };

  const here = await onFreePorts(README);
  const shell = (command: string) => {
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: directory,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    afterTest(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    return { child, exited };
  };

  const nodes: { command: string; url: string; end: () => Promise<number | null> }[] = [];
  return {
    /** Runs a line to its end; what it prints stands as it would on a terminal. */
    async run(command: string) {
      const { child, exited } = shell(`exec 2>&1; ${here(command)}`);
      const [out, exit] = await Promise.all([text(child.stdout), exited]);
      return { exit, out };
    },
    /** Starts a node, and resolves when it says where it listens. */
    async start({ command }: Line) {
      const { child, exited } = shell(`exec ${here(command)}`);
      child.stderr.resume();
      const url = await new Promise<string>((resolve, reject) => {
        let said = '';
        child.stdout.on('data', (data: Buffer) => {
          said += data.toString();
          const [, found] = /listens on (\S+)\n/.exec(said) ?? [];
          if (found !== undefined) resolve(found);
        });
        void exited.then((exit) => reject(new Error(`${command}: exit code ${exit}`)));
      });
      const end = () => {
        child.kill('SIGTERM');
        return exited;
      };
      nodes.push({ command, url, end });
    },
    /** A reader is slower than this test: every node is as far as the primary, or has halted. */
    async settled() {
      for (;;) {
        const all = await Promise.all(nodes.map(({ url }) => statusOf(url)));
        const behind = all.filter(
          ({ position, machine_state }) =>
            position?.commit_id !== all[0]?.position?.commit_id && machine_state !== 'halted.resting',
        );
        if (behind.length === 0) return;
        await pause(20);
      }
    },
    async stop() {
      const exits = await Promise.all(nodes.map(({ end }) => end()));
      return nodes.map(({ command }, at) => ({ command, exit: exits[at] }));
    },
  };
}

async function statusOf(url: string) {
  const answer = (await (await fetch(`${url}/v1/status`)).json()) as {
    data: { machine_state: string; position: { commit_id: number } | null };
  };
  return answer.data;
}
