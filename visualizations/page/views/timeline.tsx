import { useLayoutEffect, useRef } from 'preact/hooks';
import { statesEntered } from '../../../src/core/state-line.ts';
import type { Changes } from '../model/changes.ts';
import { MOMENTS_MAX, type Entry, type Timeline } from '../model/timeline.ts';
import { Panel } from './value.tsx';

/** Rows before and behind the one that is looked at: the list stays small, the slider reaches all. */
const ROWS_AROUND = 20;
/** The newest stands on top. */
const KEYS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

interface Props {
  readonly timeline: Timeline;
  readonly isLive: boolean;
  /** Whether newer ones may come at all. */
  readonly canBeLive: boolean;
  readonly changes: Changes;
}

/** Every transition that came, to be gone through back and forth. */
export function TimelineView({ timeline, isLive, canBeLive, changes }: Props) {
  const { place, first, end } = timeline;
  const look = (to: number | null) => {
    timeline.look(to);
    changes.happened();
  };
  // From where the timeline stands by then: keys come faster than pictures.
  const step = (by: number) => look((timeline.place ?? 0) + by);
  const newest = canBeLive ? 'Live' : 'Last';
  return (
    <Panel
      id="timeline"
      title="Timeline"
      aside={
        <p class="faint" data-moments={timeline.moments}>
          {timeline.moments.toLocaleString('en')} {timeline.moments === 1 ? 'transition' : 'transitions'}
          {timeline.gone === 0
            ? ''
            : `; of the oldest, ${timeline.gone.toLocaleString('en')} entries are no longer kept`}
        </p>
      }
    >
      {place === null ? (
        <p class="unknown">No transition is known yet.</p>
      ) : (
        <>
          <div class="scrub">
            <button type="button" disabled={place <= first} onClick={() => look(first)}>
              First
            </button>
            <button type="button" disabled={place <= first} onClick={() => step(-1)}>
              Previous
            </button>
            <input
              type="range"
              aria-label="Transition that is shown"
              aria-valuetext={textOf(timeline.at(place))}
              min={first}
              max={end - 1}
              value={place}
              onInput={({ currentTarget }) => look(currentTarget.valueAsNumber)}
            />
            <button type="button" disabled={place >= end - 1} onClick={() => step(1)}>
              Next
            </button>
            <button type="button" aria-pressed={timeline.isFollowing} onClick={() => look(null)}>
              {newest}
            </button>
          </div>
          <p class={isLive ? 'live' : 'then'}>
            {isLive
              ? 'Live: what is shown is now.'
              : `What is shown is as of ${place + 1} of ${end}: ${textOf(timeline.at(place))}`}
          </p>
          <Rows timeline={timeline} place={place} look={look} step={step} />
          <p class="faint">
            The newest {MOMENTS_MAX.toLocaleString('en')} are kept. Arrow keys go from one to the next.
          </p>
        </>
      )}
    </Panel>
  );
}

interface RowsProps {
  readonly timeline: Timeline;
  readonly place: number;
  readonly look: (to: number) => void;
  readonly step: (by: number) => void;
}

function Rows({ timeline, place, look, step }: RowsProps) {
  const from = Math.max(timeline.first, Math.min(place - ROWS_AROUND, timeline.end - 1 - 2 * ROWS_AROUND));
  const to = Math.min(timeline.end, from + 2 * ROWS_AROUND + 1);
  const places = Array.from({ length: to - from }, (_, index) => from + index);
  const list = useRef<HTMLOListElement>(null);
  useLayoutEffect(() => {
    const row = list.current?.querySelector<HTMLElement>('[aria-current]');
    if (list.current !== null && row) bringTo(list.current, row);
  }, [place]);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = KEYS[event.key];
    if (by === undefined) return;
    event.preventDefault();
    step(by);
  };
  return (
    <ol class="moments" ref={list} aria-label="Transitions" onKeyDown={onKeyDown}>
      {places.reverse().map((at) => (
        <Row key={at} entry={timeline.at(at)} isShown={at === place} onClick={() => look(at)} />
      ))}
    </ol>
  );
}

/** Scrolls the list alone, and takes the focus along where a row of it had it. */
function bringTo(list: HTMLElement, row: HTMLElement): void {
  const { offsetTop: top, offsetHeight: height } = row;
  if (top < list.scrollTop || top + height > list.scrollTop + list.clientHeight)
    list.scrollTop = top - (list.clientHeight - height) / 2;
  if (list.contains(document.activeElement)) row.focus({ preventScroll: true });
}

interface RowProps {
  readonly entry: Entry | null;
  readonly isShown: boolean;
  readonly onClick: () => void;
}

function Row({ entry, isShown, onClick }: RowProps) {
  if (entry === null) return null;
  if (entry.kind === 'gap') return <li class="gap">{entry.text}</li>;
  const { sequence, event, from, to, verdicts } = entry.moment;
  const isAgainst = verdicts.some(({ evaluation }) => evaluation !== 'holds');
  return (
    <li class={isAgainst ? 'against' : ''}>
      <button type="button" aria-current={isShown ? 'true' : undefined} onClick={onClick}>
        <span class="sequence">{sequence}</span> <code>{event}</code>
        <span class="to">{targetText(from, to)}</span>
      </button>
    </li>
  );
}

function targetText(from: string, to: string): string {
  const entered = statesEntered(from, to);
  return entered.length === 0 ? 'stays' : `→ ${entered.join(', ')}`;
}

function textOf(entry: Entry | null): string {
  if (entry === null) return 'nothing';
  if (entry.kind === 'gap') return entry.text;
  const { sequence, event, from, to } = entry.moment;
  return `transition ${sequence}, ${event} ${targetText(from, to)}`;
}
