import { useEffect, useRef, useState } from 'preact/hooks';

/** A reader who is told of every step hears nothing else. */
const QUIET_MS = 2_000;

/** Tells screen readers of the newest state, at most once in a while. */
export function Announcer({ text }: { readonly text: string }) {
  const [said, say] = useState('');
  const newest = useRef(text);
  newest.current = text;
  const isSilent = text === said;
  useEffect(() => {
    if (isSilent) return;
    const timer = setTimeout(() => say(newest.current), QUIET_MS);
    return () => clearTimeout(timer);
  }, [isSilent, said]);
  return (
    <p class="for-readers" aria-live="polite" data-announcer>
      {said}
    </p>
  );
}
