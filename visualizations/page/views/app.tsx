import type { PageModel, Watched } from '../model/page-model.ts';
import { dataOf, isHaltedLine, readsOf, seenOf, type Seen } from '../model/seen.ts';
import { Actions } from './actions.tsx';
import { Announcer } from './announcer.tsx';
import { Candidates } from './candidates.tsx';
import { ChartView } from './chart.tsx';
import { useChanges } from './hooks.ts';
import { Nodes } from './nodes.tsx';
import { TimelineView } from './timeline.tsx';
import { Value } from './value.tsx';
import { WalWay } from './wal-way.tsx';
import { HaltAndRecovery, ReadGate } from './why.tsx';

export function App({ model }: { readonly model: PageModel }) {
  useChanges(model.changes);
  const watched = model.inView;
  return (
    <>
      <a class="skip" href="#main">
        Skip to the node in view
      </a>
      <header class="top">
        <h1>Replichart</h1>
        <p>A replica may lag, it may never lie.</p>
      </header>
      <main id="main">
        {model.complaint === null ? null : (
          <p class="problem" role="alert">
            {model.complaint}
          </p>
        )}
        <Nodes model={model} />
        {model.config.actions === null ? null : <Actions url={model.config.actions} />}
        {watched === null ? <p>No node is in view.</p> : <InView watched={watched} model={model} />}
      </main>
    </>
  );
}

function InView({ watched, model }: { readonly watched: Watched; readonly model: PageModel }) {
  const seen = seenOf(watched);
  return (
    <div class="in-view-parts">
      <StateNow watched={watched} seen={seen} />
      <div class="parts">
        <div class="wide">
          <ChartView
            key={watched.name}
            seen={seen}
            charts={model.config.charts}
            title={`Chart of ${watched.name}`}
          />
          <TimelineView
            timeline={watched.timeline}
            isLive={seen.isLive}
            canBeLive={watched.kind === 'node'}
            changes={model.changes}
          />
        </div>
        <div class="narrow">
          <HaltFirst watched={watched} seen={seen} />
        </div>
      </div>
    </div>
  );
}

/** A halt comes before everything else; where there is none, it is a line further down. */
function HaltFirst({ watched, seen }: { readonly watched: Watched; readonly seen: Seen }) {
  const halt = <HaltAndRecovery watched={watched} seen={seen} />;
  const isHalted = isHaltedLine(seen.line);
  return (
    <>
      {isHalted ? halt : null}
      <WalWay watched={watched} seen={seen} />
      <ReadGate watched={watched} seen={seen} />
      <Candidates seen={seen} />
      {isHalted ? null : halt}
    </>
  );
}

function StateNow({ watched, seen }: { readonly watched: Watched; readonly seen: Seen }) {
  const reads = watched.kind === 'node' && seen.isLive ? readsOf(dataOf(watched.known.gate)) : null;
  const isOld = watched.kind === 'node' && seen.isLive && watched.reach !== 'answers';
  return (
    <section class={`now ${isHaltedLine(seen.line) ? 'is-halted' : ''}`} aria-labelledby="now-title">
      <h2 id="now-title">
        {watched.name}
        {seen.isLive ? '' : watched.kind === 'journal' ? ', as recorded' : ', as of a past transition'}
      </h2>
      <p class="line" data-state-line>
        <Value of={seen.line} />
      </p>
      {isOld ? (
        <p class="problem">It does not answer now: all of this is as of its last answer, if there was one.</p>
      ) : null}
      {watched.kind === 'journal' ? watched.findings.map((finding) => <p key={finding}>{finding}</p>) : null}
      <Announcer
        text={`${watched.name}: ${seen.line ?? 'state unknown'}${reads === null ? '' : `; reads ${reads}`}`}
      />
    </section>
  );
}
