import { useEffect, useState } from 'preact/hooks';
import type { Changes } from '../model/changes.ts';

/** Draws the component again after every frame in which something changed. */
export function useChanges(changes: Changes): void {
  const [, draw] = useState(0);
  useEffect(() => changes.listen(() => draw((count) => count + 1)), [changes]);
}
