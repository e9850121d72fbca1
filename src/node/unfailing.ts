/**
 * Something that only watches, made safe to call from within the chart: there, what it throws would kill the actor.
 * The first failure is told to the process; what follows would be the same again.
 */
export function unfailing<Args extends readonly unknown[]>(
  watcher: string,
  watch: (...args: Args) => void,
): (...args: Args) => void {
  let isTold = false;
  return (...args) => {
    try {
      watch(...args);
    } catch (error) {
      if (!isTold) process.emitWarning(`${watcher} failed: ${String(error)}`);
      isTold = true;
    }
  };
}
