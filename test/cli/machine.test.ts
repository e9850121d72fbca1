import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CHARTS } from '../../machines/charts.ts';
import { TEXT_FORMATS } from '../../src/chart/formats.ts';
import { narrowed } from '../../src/chart/narrow.ts';
import { STAGE_NAMES } from '../../src/chart/stage.ts';
import { cli, cliJson } from '../support/cli.ts';

const file = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const rowsOf = (table: string) =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));

describe('replichart machine', () => {
  const formats = [
    ['json', 'json'],
    ['mermaid', 'mmd'],
    ['dot', 'dot'],
    ['svg', 'svg'],
    ['scxml', 'scxml'],
    ['xstate', 'machine.json'],
  ] as const;
  const drawn = [
    ...['node', 'primary'].map((chart) => [['--chart', chart], chart] as const),
    ...STAGE_NAMES.map((stage) => [['--stage', stage], `stages/${stage}`] as const),
  ].flatMap(([flags, name]) =>
    formats.map(([format, extension]) => [[...flags, '--format', format], `${name}.${extension}`] as const),
  );

  test.each(drawn)('P5-I14: %j prints what visualizations/%s holds', async (flags, name) => {
    expect(await cli(['machine', ...flags])).toEqual({
      exit: 0,
      out: file(`visualizations/${name}`),
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
    const [head, ...rows] = rowsOf(out);
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

  test('--from shows the ways out of a state, those of the states around it where it has no last word', async () => {
    const { exit, out } = await cli(['machine', '--from', 'replicating.ingesting.detached']);
    expect([exit, rowsOf(out)]).toEqual([
      0,
      [
        ['state', 'event', 'guard', 'target'],
        ['(root)', 'node.stop', '-', 'stopped'],
        ['(root)', 'storage.failed', '-', 'halted'],
        ['replicating.ingesting.detached', 'replica.attach', '-', 'replicating.ingesting.settling'],
      ],
    ]);
  });

  test('--event shows who answers it, and both together who answers it there', async () => {
    const event = ['--event', 'storage.failed'];
    expect(rowsOf((await cli(['machine', ...event])).out).slice(1)).toEqual([
      ['(root)', 'storage.failed', '-', 'halted'],
      ['halted', 'storage.failed', '-', '(stays)'],
      ['stopped', 'storage.failed', '-', '(stays)'],
    ]);
    expect(rowsOf((await cli(['machine', ...event, '--from', 'halted'])).out).slice(1)).toEqual([
      ['halted', 'storage.failed', '-', '(stays)'],
    ]);
    const nowhere = await cli(['machine', '--from', 'halted.resting', '--event', 'always']);
    expect([nowhere.exit, rowsOf(nowhere.out).slice(1)]).toEqual([0, [['halted.resting', '-', '-', '-']]]);
  });

  test('--from and --event narrow every text format', async () => {
    const flags = ['--chart', 'primary', '--from', 'recovering', '--event', 'always'];
    const chart = narrowed(CHARTS.primary, { from: 'node.recovering', event: 'always' });
    expect(chart.transitions.length).toBeGreaterThan(1);
    expect((await cliJson(['machine', ...flags])).body).toEqual(chart);
    for (const [name, { write }] of Object.entries(TEXT_FORMATS))
      expect((await cli(['machine', ...flags, '--format', name])).out).toBe(write(chart));
  });

  test('--stage shows a stage, without a line for what only stands at its boundary', async () => {
    const { out } = await cli(['machine', '--stage', '7-read-gate']);
    expect(rowsOf(out).map(([state]) => state)).toEqual([
      'state',
      'recovering.routing',
      'recovering.replaying.continuing',
      'bootstrapping.finishing',
      'replicating',
      'replicating.readGate',
      'replicating.readGate.closed',
      'replicating.readGate.open',
    ]);
  });

  test.each([
    [['--from', 'receiving'], "there is no state 'receiving' here: near are replicating.ingesting.receiving"],
    [['--from', 'haltd'], "there is no state 'haltd' here: near are halted"],
    [['--event', 'node.stp'], "there is no event 'node.stp' here: near are node.stop\n"],
    [['--event', 'xyzxyz'], "there is no event 'xyzxyz' here: replichart machine shows all of them"],
    [
      ['--stage', '1-role', '--from', 'recovering.surveying'],
      "there is no state 'recovering.surveying' here",
    ],
    [['--stage', '8-none'], 'Allowed choices are 1-role'],
    [
      ['--stage', '3-validation', '--chart', 'primary'],
      "the chart of a primary has nothing of stage '3-validation': it has 1-role, 6-recovery",
    ],
    [['--format', 'svg', '--from', 'halted'], '--from and --event narrow every format but svg'],
    [['--format', 'svg', '--event', 'always'], '--from and --event narrow every format but svg'],
    [
      ['--format', 'svg', '--stage', '1-role', '--chart', 'primary'],
      '--stage has an svg of the node chart only',
    ],
  ])('%j is a usage error that says what there is', async (flags, text) => {
    const { exit, out, err } = await cli(['machine', ...flags]);
    expect([exit, out]).toEqual([2, '']);
    expect(err).toContain(text);
  });

  test('--help has examples', async () => {
    const { exit, out } = await cli(['machine', '--help']);
    expect(exit).toBe(0);
    expect(out).toContain('Examples:\n  replichart machine --chart primary\n');
  });

  test('the drawings that it prints are in the package', () => {
    const { files, imports } = JSON.parse(file('package.json')) as Record<string, unknown>;
    expect(files).toEqual(expect.arrayContaining(['visualizations/*.svg', 'visualizations/stages/*.svg']));
    expect(imports).toMatchObject({ '#visualizations/*': './visualizations/*' });
  });
});
