/**
 * Waits until something that a stream follows has grown; `false` when time is up or the follower is gone. Without a
 * time it waits for as long as the follower stays.
 */
export function grows(
  hasGrown: () => boolean,
  listen: (listener: () => void) => () => void,
  timeoutMs: number | null,
  ended: AbortSignal,
): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (grown: boolean) => {
      clearTimeout(timer);
      stopListening();
      ended.removeEventListener('abort', gone);
      resolve(grown);
    };
    const gone = () => finish(false);
    const timer = timeoutMs === null ? undefined : setTimeout(gone, timeoutMs);
    ended.addEventListener('abort', gone, { once: true });
    const stopListening = listen(() => {
      if (hasGrown()) finish(true);
    });
    if (hasGrown()) finish(true);
  });
}
