import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Seen } from '../model/seen.ts';
import { drawingOf, mark } from './chart-drawing.ts';
import { Viewport } from './chart-viewport.ts';
import { Panel } from './value.tsx';

interface Props {
  readonly seen: Seen;
  /** File names of the drawings there are. */
  readonly charts: readonly string[];
  readonly title: string;
}

const WHOLE = '';

/** The chart with its current states lit, what may happen next marked, and the last transition highlighted. */
export function ChartView({ seen, charts, title }: Props) {
  const [chosen, choose] = useState(WHOLE);
  const pane = useRef<HTMLDivElement>(null);
  const [viewport, setViewport] = useState<Viewport | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [isFollowing, setFollowing] = useState(true);
  const name = chosen !== WHOLE ? chosen : seen.chart === null ? null : `${seen.chart}.svg`;

  useEffect(() => {
    let isWanted = true;
    const show = async () => {
      if (name === null || pane.current === null) return;
      try {
        const svg = await drawingOf(name);
        if (!isWanted || pane.current === null) return;
        pane.current.replaceChildren(svg);
        setViewport(new Viewport(pane.current, svg));
        setFault(null);
      } catch (error) {
        if (isWanted) setFault(`The drawing ${name} cannot be had: ${String(error)}`);
      }
    };
    void show();
    return () => {
      isWanted = false;
    };
  }, [name]);

  const shown = useRef<Viewport | null>(null);
  // Before it is painted: chart and texts tell of the same transition in every frame.
  useLayoutEffect(() => {
    if (viewport !== null) mark(viewport.svg, seen);
  });
  useEffect(() => {
    if (viewport === null || !isFollowing || seen.line === null) return;
    // A drawing that is new in the pane is zoomed; after that, its zoom is whoever looks's own.
    if (shown.current === viewport) viewport.follow();
    else viewport.show();
    shown.current = viewport;
  }, [viewport, seen.line, isFollowing]);

  const stages = charts.filter((chart) => chart.startsWith('stages-'));
  return (
    <Panel
      id="chart"
      title={title}
      aside={
        stages.length === 0 ? null : (
          <label>
            Drawing{' '}
            <select value={chosen} onChange={({ currentTarget }) => choose(currentTarget.value)}>
              <option value={WHOLE}>the whole chart</option>
              {stages.map((stage) => (
                <option key={stage} value={stage}>
                  {stage.replace(/^stages-|\.svg$/g, '')}
                </option>
              ))}
            </select>
          </label>
        )
      }
    >
      {fault === null ? null : <p class="problem">{fault}</p>}
      {name === null ? <p class="unknown">Which chart it is is not known yet.</p> : null}
      <div class="chart-tools" role="group" aria-label="View of the chart">
        <Tool name="Zoom in" sign="+" run={() => viewport?.zoom(1.25)} />
        <Tool name="Zoom out" sign="−" run={() => viewport?.zoom(0.8)} />
        <Tool name="Fit" run={() => viewport?.fit()} />
        <Tool name="Go to current" run={() => viewport?.show()} />
        <Tool name="Pan left" sign="←" run={() => viewport?.pan(-1, 0)} />
        <Tool name="Pan up" sign="↑" run={() => viewport?.pan(0, -1)} />
        <Tool name="Pan down" sign="↓" run={() => viewport?.pan(0, 1)} />
        <Tool name="Pan right" sign="→" run={() => viewport?.pan(1, 0)} />
        <label>
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={({ currentTarget }) => setFollowing(currentTarget.checked)}
          />{' '}
          Follow
        </label>
      </div>
      <div
        class="chart-pane"
        role="region"
        aria-label="Drawing of the chart"
        aria-describedby="chart-keys chart-text"
        tabIndex={0}
        ref={pane}
        onKeyDown={(event) => viewport?.key(event)}
        onPointerDown={(event) => viewport?.drag(event)}
      />
      <p class="faint" id="chart-keys">
        Arrow keys pan, + and − zoom, 0 fits, . goes to what is lit; so do wheel, Ctrl with wheel, and
        dragging.
      </p>
      <ul class="legend">
        <li class="of-current">current state</li>
        <li class="of-allowed">allowed now</li>
        <li class="of-barred">not allowed now</li>
        <li class="of-taken">taken last</li>
      </ul>
      <p id="chart-text" class="for-readers">
        {seen.line === null ? 'The state is unknown.' : `Lit: ${seen.line}.`}
      </p>
    </Panel>
  );
}

interface ToolProps {
  readonly name: string;
  readonly sign?: string;
  readonly run: () => void;
}

function Tool({ name, sign, run }: ToolProps) {
  return (
    <button type="button" onClick={run} {...(sign === undefined ? {} : { 'aria-label': name, title: name })}>
      {sign ?? name}
    </button>
  );
}
