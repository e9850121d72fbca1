import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CHARTS } from '../../machines/charts.ts';
import { cli, cliJson } from '../support/cli.ts';

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('replichart machine', () => {
  test.each([
    ['node', 'json', 'json'],
    ['node', 'mermaid', 'mmd'],
    ['node', 'dot', 'dot'],
    ['node', 'svg', 'svg'],
    ['primary', 'json', 'json'],
    ['primary', 'mermaid', 'mmd'],
    ['primary', 'dot', 'dot'],
    ['primary', 'svg', 'svg'],
  ])('P5-I14: --chart %s --format %s prints what visualizations/ holds', async (chart, format, extension) => {
    expect(await cli(['machine', '--chart', chart, '--format', format])).toEqual({
      exit: 0,
      out: file(`visualizations/${chart}.${extension}`),
      err: '',
    });
  });

  test('--json prints the graph of the chart, that of a replica unless another is asked for', async () => {
    expect(await cliJson(['machine'])).toEqual({ exit: 0, body: CHARTS.node, err: '' });
    expect(await cliJson(['machine', '--chart', 'primary'])).toEqual({
      exit: 0,
      body: CHARTS.primary,
      err: '',
    });
  });

  test('P5-I3: people get a table with every state and transition', async () => {
    const { exit, out, err } = await cli(['machine', '--chart', 'primary']);
    expect([exit, err]).toEqual([0, '']);
    const { states, transitions } = CHARTS.primary;
    const [head, ...rows] = out
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/));
    const shown = (id: string) => (id === 'node' ? '(root)' : id.replace(/^node\./, ''));
    expect(head).toEqual(['state', 'event', 'guard', 'target']);
    expect(rows).toEqual(
      states.flatMap(({ id }) => {
        const own = transitions.filter(({ source }) => source === id);
        return own.length === 0
          ? [[shown(id), '-', '-', '-']]
          : own.map(({ event, guard, targets }) => [
              shown(id),
              event,
              guard ?? '-',
              targets.map(shown).join(' ') || '(stays)',
            ]);
      }),
    );
  });

  test('a chart or format that does not exist, and two formats at once, are usage errors', async () => {
    for (const args of [
      ['--chart', 'replica'],
      ['--format', 'png'],
      ['--format', 'dot', '--json'],
    ]) {
      const { exit, out, err } = await cli(['machine', ...args]);
      expect([exit, out]).toEqual([2, '']);
      expect(err).toContain(args[0] as string);
    }
  });

  test('--help has examples', async () => {
    const { exit, out } = await cli(['machine', '--help']);
    expect(exit).toBe(0);
    expect(out).toContain('Examples:\n  replichart machine --chart primary\n');
  });

  test('the drawings that it prints are in the package', () => {
    const { files, imports } = JSON.parse(file('package.json')) as Record<string, unknown>;
    expect(files).toContain('visualizations/*.svg');
    expect(imports).toEqual({ '#visualizations/*': './visualizations/*' });
  });
});
