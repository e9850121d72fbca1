import { answerOf, dataOf, refusal, replication, status, type FailureJson } from './http.ts';
import { fieldsOf } from './fields.ts';
import { titleOf, type Fleet, type NodeName } from './fleet.ts';
import { COLLECTION } from './workload.ts';

/** What a node says of itself; `null` where it says nothing, because it does not run or does not know. */
export interface Seen {
  readonly name: NodeName;
  readonly isRunning: boolean;
  readonly state: string | null;
  readonly failure: FailureJson | null;
  readonly detachment: string | null;
  readonly commitId: number | null;
  readonly lsn: number | null;
}

/** Looks at a node by its DX plane. */
export async function seen(fleet: Fleet, name: NodeName): Promise<Seen> {
  const unknown = { state: null, failure: null, detachment: null, commitId: null, lsn: null };
  if (!fleet.isRunning(name)) return { name, isRunning: false, ...unknown };
  const { url } = fleet.of(name);
  const { data } = await dataOf(status, url, 'v1/status');
  const { detachment } = (await dataOf(replication, url, 'v1/replication')).data;
  return {
    name,
    isRunning: true,
    state: data.machine_state,
    failure: data.failure,
    detachment: typeof detachment === 'string' ? detachment : null,
    commitId: data.position?.commit_id ?? null,
    lsn: data.position?.lsn ?? null,
  };
}

/** It has halted, kept what there is to keep, and does nothing any more. */
export function isHalted({ state }: Seen): boolean {
  return state?.startsWith('halted.resting') === true;
}

export function isDetached({ state }: Seen): boolean {
  return state?.includes('detached') === true;
}

/** It has a stream: the primary has answered, and its answer was proved. */
export function isFollowing({ state }: Seen): boolean {
  return WITH_STREAM.some((ingesting) => state?.includes(`replicating.ingesting.${ingesting}`) === true);
}

const WITH_STREAM = ['receiving', 'routingReceipt', 'provingOrder', 'routingUnits', 'persisting'] as const;

/** What is seen of a node now, in sentences: its state, why, and what becomes of a read. Nothing that is not known. */
export async function told(fleet: Fleet, name: NodeName): Promise<string> {
  const now = await seen(fleet, name);
  const who = titleOf(name).replace(/^./, (letter) => letter.toUpperCase());
  if (!now.isRunning) return `${who} does not run; nothing more is known of it.`;
  const parts = [`${who}: ${now.state ?? 'no state'}.`];
  if (now.failure !== null) parts.push(whyHalted(now.failure));
  else if (isDetached(now)) parts.push(`Without a stream: ${now.detachment ?? 'why is not known'}.`);
  if (now.commitId !== null) parts.push(`It has applied commit ${now.commitId}, LSN ${now.lsn}.`);
  parts.push(await readTold(fleet, name));
  return parts.join(' ');
}

function whyHalted({ code, rule, message, evidence }: FailureJson): string {
  const shown = fieldsOf(evidence).replace(HASH, '$1…');
  const why = `Halted: ${code}${rule === null ? '' : `, rule ${rule}`}: ${message.replace(/\.$/, '')}`;
  return `${why}${shown === '' ? '' : ` (${shown})`}.`;
}

/** Of a hash its beginning is shown to people; the node tells all of it. */
const HASH = /\b([0-9a-f]{16})[0-9a-f]{48}\b/g;

/** Asks for a page of one document, as a reader would. */
async function readTold(fleet: Fleet, name: NodeName): Promise<string> {
  const { status: code, body } = await answerOf(fleet.of(name).url, `data/v1/${COLLECTION}?limit=1`);
  if (code === 200) return 'A read is answered.';
  const refused = refusal.safeParse(body);
  return refused.success
    ? `A read is refused: ${code} ${refused.data.error.code}, rule ${refused.data.error.evidence.rule}.`
    : `A read is refused: ${code}.`;
}
