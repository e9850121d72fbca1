import type { Explanation, Halt } from '../model/answers.ts';
import { inRegion } from '../model/moment.ts';
import type { Answer } from '../model/node-client.ts';
import type { Watched } from '../model/page-model.ts';
import { dataOf, haltOf, readsOf, type Seen } from '../model/seen.ts';
import { Rules } from './rules.tsx';
import { Evidence, Panel } from './value.tsx';

interface Props {
  readonly watched: Watched;
  readonly seen: Seen;
}

const VERDICTS = { safe: 'Reads are safe', unsafe: 'Reads are blocked', unknown: 'unknown' } as const;

/** Whether a read of the newest view would be admitted, with every rule. */
export function ReadGate({ watched, seen }: Props) {
  if (!seen.isLive || watched.kind === 'journal') return <GateThen seen={seen} />;
  const gate = dataOf(watched.known.gate);
  const reads = readsOf(gate);
  return (
    <Panel id="gate" title="Read gate">
      <p class={`verdict ${reads}`}>{VERDICTS[reads]}</p>
      {gate?.conclusion.reason ? <p>{gate.conclusion.reason}</p> : null}
      <NotSaid of={watched.known.gate} />
      {gate === null ? null : <Rules rules={gate.rules_applied} label="Rules of the read gate" />}
    </Panel>
  );
}

function GateThen({ seen: { line } }: Pick<Props, 'seen'>) {
  const state = line === null ? null : inRegion(line, 'readGate');
  return (
    <Panel id="gate" title="Read gate">
      <p class="verdict unknown">{state === null ? 'It was not at work.' : `It was ${state}.`}</p>
      <p class="faint">The rules of that moment are not recorded.</p>
    </Panel>
  );
}

/** Why the node halted, if it did, and how its last start recovered. */
export function HaltAndRecovery({ watched, seen }: Props) {
  const halt = haltOf(watched, seen);
  const recovery = watched.kind === 'node' && seen.isLive ? watched.known.recovery : null;
  return (
    <>
      <Panel id="halt" title="Halt">
        <HaltShown halt={halt} />
      </Panel>
      {watched.kind === 'node' && seen.isLive ? (
        <Panel id="recovery" title="Last recovery">
          <NotSaid of={recovery} />
          <Recovery of={dataOf(recovery)} />
        </Panel>
      ) : null}
    </>
  );
}

function HaltShown({ halt }: { readonly halt: Halt | null | undefined }) {
  if (halt === undefined)
    return (
      <p class="unknown">
        unknown: not recorded as such; a rule that was violated stands among the invariants.
      </p>
    );
  if (halt === null) return <p>Nothing has halted this node.</p>;
  return (
    <div class="halt">
      <p class="verdict unsafe">
        {halt.code}
        {halt.rule === null ? '' : `: ${halt.rule}`}
      </p>
      <p>{halt.message}</p>
      <Evidence of={halt.evidence} />
      <p>
        <strong>What to do:</strong> {halt.action}
      </p>
    </div>
  );
}

function Recovery({ of }: { readonly of: Explanation | null }) {
  if (of === null) return null;
  const { result, reason, ...more } = of.conclusion;
  return (
    <>
      <p class="verdict">{result}</p>
      {reason === null ? null : <p>{reason}</p>}
      <Evidence of={more} />
      <details>
        <summary>Rules of the recovery</summary>
        <Rules rules={of.rules_applied} label="Rules of the recovery" />
      </details>
    </>
  );
}

function NotSaid({ of }: { readonly of: Answer<unknown> | null }) {
  if (of === null) return <p class="unknown">unknown: the node has not said</p>;
  return of.kind === 'data' ? null : (
    <p class="unknown">
      unknown: {of.code}: {of.message}
    </p>
  );
}
