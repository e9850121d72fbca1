import { useState } from 'preact/hooks';
import type { PageModel } from '../model/page-model.ts';
import { behindOf, standingOf } from '../model/seen.ts';
import type { WatchedNode } from '../model/watched-node.ts';
import { TokenForm } from './token-form.tsx';
import { Panel, Value } from './value.tsx';

const READS = { safe: 'reads are safe', unsafe: 'reads are blocked', unknown: 'unknown' } as const;

/** All nodes side by side: who stands where. */
export function Nodes({ model }: { readonly model: PageModel }) {
  return (
    <Panel id="nodes" title="Who stands where">
      <ul class="cards">
        {model.nodes.map((node) => (
          <NodeCard key={node.base} node={node} model={model} />
        ))}
        {model.journals.map((journal) => (
          <li key={journal.name} class={model.inView === journal ? 'card in-view' : 'card'}>
            <h3>{journal.name}</h3>
            <p>A recorded journal of {journal.chart === 'primary' ? 'a primary' : 'a replica'}</p>
            <p class="faint">
              node <Value of={journal.nodeId} />
            </p>
            <div class="buttons">
              <button
                type="button"
                aria-pressed={model.inView === journal}
                onClick={() => model.view(journal)}
              >
                Show<span class="for-readers"> {journal.name}</span>
              </button>
              <button type="button" onClick={() => model.closeJournal(journal)}>
                Close<span class="for-readers"> {journal.name}</span>
              </button>
            </div>
          </li>
        ))}
      </ul>
      <AddNode model={model} />
    </Panel>
  );
}

const REACH = {
  asking: 'asked, no answer yet',
  locked: 'asks for a token',
  refuses: 'refuses',
  silent: 'no answer',
};

function NodeCard({ node, model }: { readonly node: WatchedNode; readonly model: PageModel }) {
  const { status, wal, reads } = standingOf(node);
  const behind = behindOf(node, model.nodes);
  const isOld = node.reach !== 'answers' && status !== null;
  return (
    <li class={model.inView === node ? 'card in-view' : 'card'} data-node={node.name}>
      <h3>{node.name}</h3>
      <p>
        {status === null ? (
          <span class="unknown">unknown</span>
        ) : status.role === 'primary' ? (
          'primary'
        ) : (
          `replica, ${status.replica_state}`
        )}
        {node.reach === 'answers' ? null : <strong class="reach"> {REACH[node.reach]}</strong>}
      </p>
      {isOld ? <p class="faint">What is shown is as of its last answer.</p> : null}
      <p class="line">
        <Value of={status?.machine_state} />
      </p>
      <dl class="facts">
        {status?.role === 'primary' ? null : (
          <>
            <Fact name="received" lsn={wal?.wal_received_lsn} />
            <Fact name="validated" lsn={wal?.wal_validated_lsn} commit={wal?.validated_commit_id ?? null} />
          </>
        )}
        <Fact name="applied" lsn={wal?.wal_applied_lsn} commit={wal?.applied_commit_id ?? null} />
        {status?.role === 'primary' ? null : (
          <div>
            <dt>behind</dt>
            <dd>
              {behind === null ? (
                <Value of={null} />
              ) : (
                `${behind.whom} by ${behind.commits.toLocaleString('en')} ${behind.commits === 1 ? 'commit' : 'commits'}`
              )}
            </dd>
          </div>
        )}
        <div>
          <dt>read gate</dt>
          <dd class={`reads ${reads}`}>{READS[reads]}</dd>
        </div>
      </dl>
      {node.reach === 'locked' ? <TokenForm node={node} /> : null}
      {node.problem === null || node.reach === 'locked' ? null : <p class="problem">{node.problem}</p>}
      <div class="buttons">
        <button type="button" aria-pressed={model.inView === node} onClick={() => model.view(node)}>
          Show<span class="for-readers"> {node.name}</span>
        </button>
        {model.isAdded(node) ? (
          <button type="button" onClick={() => model.removeNode(node)}>
            Remove<span class="for-readers"> {node.name}</span>
          </button>
        ) : null}
      </div>
    </li>
  );
}

interface FactProps {
  readonly name: string;
  readonly lsn: number | null | undefined;
  readonly commit?: number | null;
}

function Fact({ name, lsn, commit }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Value of={lsn} unit="LSN" />
        {commit === undefined || commit === null ? null : (
          <>
            , <Value of={commit} unit="commit" />
          </>
        )}
      </dd>
    </div>
  );
}

function AddNode({ model }: { readonly model: PageModel }) {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const onSubmit = (event: Event) => {
    event.preventDefault();
    model.addNode({ name: name === '' ? url : name, url });
    setName('');
    setUrl('');
  };
  return (
    <details class="more">
      <summary>Add a node, or open a journal</summary>
      <form onSubmit={onSubmit}>
        <label>
          Name
          <input value={name} onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <label>
          Address
          <input
            type="url"
            required
            placeholder="http://127.0.0.1:7002"
            value={url}
            onInput={({ currentTarget }) => setUrl(currentTarget.value)}
          />
        </label>
        <button type="submit">Add</button>
      </form>
      <p class="faint">
        A node at another address answers this page only when it was started with{' '}
        <code>--dx-origin {location.origin}</code>.
      </p>
      <label class="file">
        Journal of a flight recorder (a file of <code>flight/</code>)
        <input
          type="file"
          accept=".flight"
          onChange={({ currentTarget }) => {
            const [file] = currentTarget.files ?? [];
            if (file !== undefined) void model.openJournal(file);
            currentTarget.value = '';
          }}
        />
      </label>
    </details>
  );
}
