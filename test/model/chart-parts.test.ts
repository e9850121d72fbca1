/** Parts of the charts: stages, what is left of a narrowed chart, the table of every state with every event. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { getNextTransitions } from 'xstate';
import { stateNodes, transitionId, type Chart } from '../../machines/chart.ts';
import { CHARTS } from '../../machines/charts.ts';
import { meeting } from '../../machines/2-ingress.ts';
import { nodeMachine } from '../../machines/node.ts';
import { answersTo, eventsOf } from '../../src/chart/answers.ts';
import { narrowed } from '../../src/chart/narrow.ts';
import { boundaryOf } from '../../src/chart/part.ts';
import { STAGE_NAMES, stageChart, type StageName } from '../../src/chart/stage.ts';

const { node } = CHARTS;

/** The stages of a chart, with the states that are their own. */
function stagesOf(chart: Chart) {
  return STAGE_NAMES.flatMap((name) => {
    const part = stageChart(chart, name);
    if (part === null) return [];
    const boundary = boundaryOf(part);
    return [{ name, part, own: part.states.map(({ id }) => id).filter((id) => !boundary.has(id)) }];
  });
}

describe('the stages of the node chart', () => {
  const stages = stagesOf(node);
  const ownOf = (wanted: StageName) => stages.find(({ name }) => name === wanted)?.own;

  test('P5-I14: every state is of a stage, and only the first meeting with the primary is of two', () => {
    const stagesWith = (id: string) => stages.filter(({ own }) => own.includes(id)).map(({ name }) => name);
    const shared = Object.keys(meeting).map((name) => `node.initializing.${name}`);
    expect(shared.length).toBeGreaterThan(1);
    expect(node.states.map(({ id }) => [id, stagesWith(id).length])).toEqual(
      node.states.map(({ id }) => [id, shared.includes(id) ? 2 : 1]),
    );
    expect(shared.map(stagesWith)).toEqual(shared.map(() => ['1-role', '2-ingress']));
  });

  test('each holds what its file defines', () => {
    const regions = {
      '2-ingress': 'ingesting',
      '3-validation': 'validating',
      '4-application': 'applying',
    } as const;
    for (const [stage, region] of Object.entries(regions))
      expect(ownOf(stage as StageName)).toContain(`node.replicating.${region}`);
    expect(ownOf('5-bootstrap')?.[0]).toBe('node.bootstrapping');
    expect(ownOf('6-recovery')?.[0]).toBe('node.recovering');
    expect(ownOf('7-read-gate')).toEqual([
      'node.replicating',
      'node.replicating.readGate',
      'node.replicating.readGate.closed',
      'node.replicating.readGate.open',
    ]);
  });

  test.each(stages)(
    'P5-I14: $name has every transition out of its states, and every way in that does not halt',
    ({ part, own }) => {
      const halts = (target: string) => target === 'node.halted' || target.startsWith('node.halted.');
      expect(part.transitions).toEqual(
        node.transitions.filter(
          ({ source, targets }) =>
            own.includes(source) || targets.some((target) => own.includes(target) && !halts(target)),
        ),
      );
    },
  );

  test.each(stages)(
    '$name is a chart: its arrows end at its states, each in its parent and as it is',
    ({ part }) => {
      const ids = part.states.map(({ id }) => id);
      const ends = part.transitions.flatMap(({ source, targets }) => [source, ...targets]);
      const needed = [
        ...ends,
        ...part.states.flatMap(({ parent, initial }) => [parent, initial].filter((id) => id !== null)),
      ];
      expect(needed.filter((id) => !ids.includes(id))).toEqual([]);
      // Nothing stands at a boundary without a reason.
      const reasons = [...ends, ...ids.filter((id) => !part.boundary.includes(id))];
      expect(
        part.boundary.filter((id) => !reasons.some((end) => end === id || end.startsWith(`${id}.`))),
      ).toEqual([]);
      expect(part.states.map(({ initial: _, ...state }) => state)).toEqual(
        node.states.filter(({ id }) => ids.includes(id)).map(({ initial: _, ...state }) => state),
      );
    },
  );

  test('a primary has the stages of its role and its recovery', () => {
    expect(stagesOf(CHARTS.primary).map(({ name }) => name)).toEqual(['1-role', '6-recovery']);
    const own = stagesOf(CHARTS.primary).flatMap((stage) => stage.own);
    expect([...own].sort()).toEqual(CHARTS.primary.states.map(({ id }) => id).sort());
  });
});

describe('a narrowed chart', () => {
  const ids = (chart: Chart) => chart.transitions.map(({ id }) => id);

  test('that is asked for nothing is whole', () => {
    expect(narrowed(node, { from: null, event: null })).toBe(node);
  });

  test('from a state that holds others has theirs, and of those around it what it has no last word on', () => {
    expect(ids(narrowed(node, { from: 'node.stopped', event: null }))).toEqual([
      'node -- replica.attach [0]',
      'node.stopped -- initial [0]',
      'node.stopped -- storage.failed [0]',
      'node.stopped -- node.stop [0]',
      'node.stopped.draining -- xstate.done.actor.release [0]',
      'node.stopped.draining -- xstate.error.actor.release [0]',
    ]);
  });

  test('has the states that its arrows need, and says which of them were not asked for', () => {
    const { states, ...rest } = narrowed(node, { from: 'node.halted.resting', event: 'node.stop' });
    expect(states.map(({ id }) => id)).toEqual([
      'node',
      'node.halted',
      'node.halted.resting',
      'node.stopped',
    ]);
    expect(rest).toMatchObject({ boundary: ['node.halted', 'node.stopped'] });
  });
});

describe('what a state makes of an event', () => {
  test('P5-I3: has the candidates that XState has, in its order, up to the first without a guard', () => {
    const events = [
      ...eventsOf(node),
      ...node.states.flatMap(({ invokes }) =>
        invokes.flatMap(({ id }) => [`xstate.done.actor.${id}`, `xstate.error.actor.${id}`]),
      ),
    ];
    for (const { id } of stateNodes(nodeMachine).filter(({ states }) => Object.keys(states).length === 0)) {
      const own = new Set(
        node.states
          .filter((state) => id === state.id || id.startsWith(`${state.id}.`))
          .map((state) => state.id),
      );
      const candidates = candidatesIn(id).filter(({ source }) => own.has(source.id));
      for (const event of new Set(events)) {
        const tried = candidates.filter(({ eventType }) => eventType === (event === 'always' ? '' : event));
        const last = tried.findIndex(({ guard }) => guard === undefined);
        expect({
          id,
          event,
          tried: answersTo(node, id, event).map(({ transition }) => transition.id),
        }).toEqual({
          id,
          event,
          tried: (last === -1 ? tried : tried.slice(0, last + 1)).map(transitionId),
        });
      }
    }
  });

  test('P5-I3: the document has a row for each state and a cell for each event, none of them empty', () => {
    const text = readFileSync(new URL('../../docs/generated/STATE-EVENT.md', import.meta.url), 'utf8');
    const [, ...charts] = text.split(/^## /m);
    expect(charts).toHaveLength(2);
    for (const [at, chart] of [CHARTS.node, CHARTS.primary].entries()) {
      const rows = (charts[at] ?? '')
        .split('\n')
        .filter((line) => line.startsWith('| `'))
        .map((line) => line.slice(2, -2).split(' | '));
      const shown = (id: string) => (id === 'node' ? id : id.slice('node.'.length));
      expect(rows.map(([state]) => state)).toEqual(chart.states.map(({ id }) => `\`${shown(id)}\``));
      const columns = 4 + eventsOf(chart).length;
      expect(rows.filter((row) => row.length !== columns || row.some((cell) => cell.trim() === ''))).toEqual(
        [],
      );
    }
  });

  test('P5-I3: the document marks what is inherited, what stays, and the order of guards', () => {
    const text = readFileSync(new URL('../../docs/generated/STATE-EVENT.md', import.meta.url), 'utf8');
    const nothing = '— | — | —';
    const row = '| `replicating.ingesting.detached` | — | ' + nothing;
    expect(text).toContain(`${row} | ↑ \`stopped\` | ↑ \`halted\` | \`replicating.ingesting.settling\` |`);
    expect(text).toContain(`| \`halted.resting\` | — | ${nothing} | ↑ \`stopped\` | ↑ *stays* | ↑ *stays* |`);
    expect(text).toContain(
      '| `replicating.readGate.closed` | `P5-I12 readsAreProven` → `replicating.readGate.open` | ',
    );
    expect(text).toContain(
      '`route planIsToBootstrap` → `bootstrapping`<br>`route nothingIsToReplay` → `replicating`<br>`recovering.replaying`',
    );
  });
});

/** Every transition that XState would try in a state, inner states first. */
function candidatesIn(id: string) {
  const [, ...path] = id.split('.');
  const value = path.reduceRight<unknown>((inner, name) => (inner === null ? name : { [name]: inner }), null);
  return getNextTransitions(nodeMachine.resolveState({ value: value as never, context: {} as never }));
}

describe('the chart in the README', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const drawing = /```mermaid\n(stateDiagram-v2\n[^`]*)```/.exec(readme)?.[1] ?? '';
  const top = (id: string) => id.split('.').slice(0, 2).join('_');

  test('has each state at the top, the regions of what is parallel, and each way from one to another', () => {
    const states = [...drawing.matchAll(/state "(\w+)" as (\w+)/g)].map(([, name, id]) => [name, id]);
    expect(states).toEqual(
      node.states
        .filter(({ path }) => path !== '' && (!path.includes('.') || /^replicating\.\w+$/.test(path)))
        .map(({ id }) => [id.split('.').at(-1), id.replaceAll('.', '_')]),
    );
    const arrows = [...drawing.matchAll(/^ {2}(\S+) --> (\S+)$/gm)].map(([, from, to]) => `${from} ${to}`);
    const ways = node.transitions.flatMap(({ source, targets, event }) =>
      targets
        .filter((target) => top(target) !== top(source) && (source !== 'node' || event === 'initial'))
        .map((target) => `${source === 'node' ? '[*]' : top(source)} ${top(target)}`),
    );
    expect(arrows).toEqual([...new Set(ways)]);
    expect(drawing.split('\n').filter((line) => line.trim() === '--')).toHaveLength(3);
  });

  test('links to every drawing, and every link leads to a file', () => {
    const links = [...readme.matchAll(/\]\((visualizations\/[^)]+)\)/g)].map(([, path = '']) => path);
    expect(links).toEqual([
      ...['node', 'primary'].map((name) => `visualizations/${name}.svg`),
      ...STAGE_NAMES.map((name) => `visualizations/stages/${name}.svg`),
    ]);
    for (const path of links)
      expect(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')).toContain('<svg ');
  });
});
