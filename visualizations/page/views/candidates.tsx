import type { Candidate } from '../model/answers.ts';
import type { Seen } from '../model/seen.ts';
import { Rule, Rules } from './rules.tsx';
import { Panel } from './value.tsx';

/** What the chart would do next: what is allowed, and of everything else why not. */
export function Candidates({ seen }: { readonly seen: Seen }) {
  if (!seen.isLive) return <WhatWasAsked seen={seen} />;
  const { candidates } = seen;
  return (
    <Panel id="candidates" title="What may happen next">
      {candidates === null ? (
        <p class="unknown">unknown: the node has not said</p>
      ) : (
        <>
          <h3>Allowed</h3>
          <List of={candidates.filter(({ allowed }) => allowed)} all={candidates} />
          <h3>Not allowed, and why not</h3>
          <List of={candidates.filter(({ allowed }) => !allowed)} all={candidates} />
        </>
      )}
    </Panel>
  );
}

function List({ of, all }: { readonly of: readonly Candidate[]; readonly all: readonly Candidate[] }) {
  if (of.length === 0) return <p class="faint">none</p>;
  return (
    <ul class="candidates">
      {of.map((candidate) => (
        <li key={candidate.transition} class={candidate.allowed ? 'allowed' : 'barred'}>
          <p>
            <code>{candidate.event}</code> → {targetsOf(candidate)}
            <span class="faint"> from {pathOf(candidate.source)}</span>
          </p>
          <Guards of={candidate} all={all} />
        </li>
      ))}
    </ul>
  );
}

function Guards({ of, all }: { readonly of: Candidate; readonly all: readonly Candidate[] }) {
  const { verdict, allowed, guard } = of;
  const first = allowed || verdict?.evaluation === 'violated' ? null : takenBefore(of, all);
  return (
    <>
      {verdict === null ? (
        <p class="faint">{guard === null ? 'It has no guard.' : guard}</p>
      ) : (
        <div class={`rule ${verdict.evaluation}`}>
          <Rule {...verdict} />
        </div>
      )}
      {first === null ? null : (
        <p class="faint">
          Another one is tried first and would be taken: <code>{first.transition}</code>
        </p>
      )}
    </>
  );
}

/** The candidate that would be taken in place of this one: of the same event, asked before it. */
function takenBefore({ event, source, transition }: Candidate, all: readonly Candidate[]): Candidate | null {
  const found = all.find(
    (other) =>
      other.allowed &&
      other.event === event &&
      other.transition !== transition &&
      (other.source === source || other.source.startsWith(`${source}.`)),
  );
  return found ?? null;
}

function targetsOf({ targets }: Candidate): string {
  return targets.length === 0 ? 'stays' : targets.map(pathOf).join(', ');
}

/** Within one chart every id begins with its name. */
function pathOf(id: string): string {
  return id.includes('.') ? id.slice(id.indexOf('.') + 1) : 'anywhere';
}

function WhatWasAsked({ seen: { moment } }: { readonly seen: Seen }) {
  return (
    <Panel id="candidates" title="What this transition was decided on">
      {moment === null ? (
        <p class="unknown">unknown: transitions are missing here</p>
      ) : (
        <>
          <p>
            <code>{moment.event}</code>
          </p>
          <ul class="taken" aria-label="Transitions taken">
            {moment.transitions.length === 0 ? <li class="faint">Nothing answered to it.</li> : null}
            {moment.transitions.map((id) => (
              <li key={id}>
                <code>{id}</code>
              </li>
            ))}
          </ul>
          <h3>Invariants asked on the way</h3>
          {moment.verdicts.length === 0 ? (
            <p class="faint">none</p>
          ) : (
            <Rules rules={moment.verdicts} label="Invariants asked on the way" />
          )}
          <p class="faint">
            What else was allowed then is not recorded. Evidence is kept only against a rule.
          </p>
        </>
      )}
    </Panel>
  );
}
