import { useState } from 'preact/hooks';
import type { WatchedNode } from '../model/watched-node.ts';

/** Asks for the token of a node; it is sent to that node only, and forgotten with the page. */
export function TokenForm({ node }: { readonly node: WatchedNode }) {
  const [token, setToken] = useState('');
  return (
    <form
      class="token"
      onSubmit={(event) => {
        event.preventDefault();
        node.setToken(token);
        setToken('');
      }}
    >
      <p class="problem">{node.problem}</p>
      <label>
        Token for {node.name}
        <input
          type="password"
          autocomplete="off"
          required
          value={token}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
      </label>
      <button type="submit">Use it</button>
      <p class="faint">It is kept in the memory of this page only.</p>
    </form>
  );
}
