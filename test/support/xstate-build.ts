import { createRequire } from 'node:module';

/** The builds of XState of which this process has loaded a module: one, or something is mixed. */
export function loadedBuilds(): readonly ('development' | 'production')[] {
  const modules = Object.keys(createRequire(import.meta.url).cache).filter((path) =>
    /[/\\]xstate[/\\]dist[/\\]/.test(path),
  );
  return [
    ...new Set(modules.map((path) => (path.includes('.development.') ? 'development' : 'production'))),
  ].sort();
}
