import type { PageConfig } from '../../../src/http/page.ts';

/** What the server wrote into the page. */
export interface WrittenConfig extends PageConfig {
  /** The file names of the drawings under `page/charts/`. */
  readonly charts: readonly string[];
}

export function configOf(page: Document): WrittenConfig {
  const text = page.getElementById('page-config')?.textContent;
  if (text === null || text === undefined) throw new Error('this page was served without its configuration');
  return JSON.parse(text) as WrittenConfig;
}
