import type { Position } from '../model/answers.ts';
import { inRegion, type Moment } from '../model/moment.ts';
import type { Watched } from '../model/page-model.ts';
import { readsOf, dataOf, type Seen } from '../model/seen.ts';
import { Panel, Value } from './value.tsx';

type Known = number | null | undefined;

interface Stop {
  readonly name: string;
  readonly lsn: Known;
  readonly commitId: Known;
  readonly note?: string;
}

/** How far the WAL has come: four different things, each of which may be unknown. */
export function WalWay({ watched, seen }: { readonly watched: Watched; readonly seen: Seen }) {
  const { stops, end } = seen.isLive && watched.kind === 'node' ? stopsNow(watched) : stopsAt(seen.moment);
  const farthest = Math.max(1, ...[...stops, end].map(({ lsn }) => lsn ?? 0));
  return (
    <Panel id="wal" title="The way of the WAL">
      <ol class="way">
        {stops.map((stop) => (
          <StopItem key={stop.name} {...stop} farthest={farthest} />
        ))}
      </ol>
      <p>
        {end.name}: <Value of={end.lsn} unit="LSN" />, <Value of={end.commitId} unit="commit" />
      </p>
    </Panel>
  );
}

function StopItem({ name, lsn, commitId, note, farthest }: Stop & { readonly farthest: number }) {
  return (
    <li>
      <strong>{name}</strong>
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${Math.round((100 * (lsn ?? 0)) / farthest)}%` }} />
      </span>
      {note === undefined ? (
        <span class="where">
          <Value of={lsn} unit="LSN" />
          <Value of={commitId} unit="commit" />
        </span>
      ) : (
        <span class="where">
          {lsn === undefined ? null : <Value of={lsn} unit="LSN" />}
          <span class="faint">{note}</span>
        </span>
      )}
    </li>
  );
}

const BEFORE_PROOF = 'its commits are not known before it is validated';

const OF_PRIMARY = 'a primary receives nothing: it makes the WAL';

function stopsNow({ known }: Extract<Watched, { kind: 'node' }>) {
  const wal = dataOf(known.wal);
  const gate = dataOf(known.gate);
  const position = gate?.inputs['position'] as Position | null | undefined;
  const isPrimary = dataOf(known.status)?.role === 'primary';
  const blocked = { lsn: undefined, commitId: null, note: 'nothing: reads are blocked' };
  const stops: readonly Stop[] = [
    isPrimary
      ? { name: 'received', lsn: undefined, commitId: null, note: OF_PRIMARY }
      : { name: 'received', lsn: wal?.wal_received_lsn ?? null, commitId: null, note: BEFORE_PROOF },
    isPrimary
      ? { name: 'validated', lsn: undefined, commitId: null, note: OF_PRIMARY }
      : { name: 'validated', lsn: wal?.wal_validated_lsn, commitId: wal?.validated_commit_id },
    { name: 'applied', lsn: wal?.wal_applied_lsn, commitId: wal?.applied_commit_id },
    {
      name: 'readable',
      ...(readsOf(gate) === 'unsafe' ? blocked : { lsn: position?.lsn, commitId: position?.commit_id }),
    },
  ];
  const end: Stop = {
    name: isPrimary ? 'Its durable end' : 'The primary’s end',
    lsn: wal?.primary_durable_lsn,
    commitId: wal?.primary_commit_id,
  };
  return { stops, end };
}

function stopsAt(moment: Moment | null) {
  const { received_lsn: received, validated, applied, primary_durable: primary } = moment?.positions ?? {};
  const gate = moment === null ? null : inRegion(moment.to, 'readGate');
  return {
    stops: [
      { name: 'received', lsn: received ?? null, commitId: null, note: BEFORE_PROOF },
      { name: 'validated', lsn: validated?.lsn, commitId: validated?.commit_id },
      { name: 'applied', lsn: applied?.lsn, commitId: applied?.commit_id },
      {
        name: 'readable',
        lsn: undefined,
        commitId: null,
        note: gate === null ? 'unknown: not recorded' : `not recorded; the gate was ${gate}`,
      },
    ] satisfies Stop[],
    end: { name: 'The primary’s end', lsn: primary?.lsn, commitId: primary?.commit_id },
  };
}
