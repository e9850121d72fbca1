import { useEffect, useState } from 'preact/hooks';
import { refusalOf } from '../model/node-client.ts';
import { Panel } from './value.tsx';

/** Something that a demonstration can do to its own nodes. */
interface Action {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly enabled: boolean;
  /** Why not, where it is not enabled. */
  readonly reason: string | null;
}

const ASK_AGAIN_MS = 2_000;

/** The actions of a demonstration; a node's own page has none. */
export function Actions({ url }: { readonly url: string }) {
  const [actions, setActions] = useState<readonly Action[]>([]);
  const [said, setSaid] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [round, setRound] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    const timer = setTimeout(() => setRound(round + 1), ASK_AGAIN_MS);
    listOf(url, ended.signal)
      .then(setActions)
      .catch((error: unknown) => {
        if (!ended.signal.aborted) setSaid(`The demonstration does not answer: ${String(error)}`);
      });
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }, [url, round]);
  const run = async ({ id, title }: Action) => {
    setBusy(true);
    setSaid(`${title}…`);
    setSaid(await done(url, id));
    setBusy(false);
    setRound(round + 1);
  };
  return (
    <Panel id="actions" title="Break it">
      <p class="faint">These act on the nodes of the demonstration only.</p>
      <ul class="actions">
        {actions.map((action) => (
          <li key={action.id}>
            <button
              type="button"
              data-action={action.id}
              disabled={isBusy || !action.enabled}
              aria-describedby={`action-${action.id}`}
              onClick={() => void run(action)}
            >
              {action.title}
            </button>
            <p id={`action-${action.id}`}>
              {action.description}
              {action.enabled || action.reason === null ? null : (
                <span class="faint"> Not now: {action.reason}</span>
              )}
            </p>
          </li>
        ))}
      </ul>
      <p role="status" class="said">
        {said}
      </p>
    </Panel>
  );
}

async function listOf(url: string, signal: AbortSignal): Promise<readonly Action[]> {
  const response = await fetch(url, { signal, cache: 'no-store' });
  if (!response.ok) throw new Error((await refusalOf(response)).message);
  return (await response.json()) as readonly Action[];
}

async function done(url: string, id: string): Promise<string> {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/${encodeURIComponent(id)}`, { method: 'POST' });
    if (!response.ok) return `It was not done: ${(await refusalOf(response)).message}`;
    return ((await response.json()) as { done: string }).done;
  } catch (error) {
    return `It is not known whether it was done: ${String(error)}`;
  }
}
