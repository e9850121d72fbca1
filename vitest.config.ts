import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // The example host names the package as every host does; here that is its source.
  resolve: {
    alias: [
      { find: /^replichart$/, replacement: source('src/index.ts') },
      { find: /^replichart\/testing$/, replacement: source('src/testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    globalSetup: ['test/support/chart-coverage-report.ts'],
    setupFiles: ['test/support/chart-coverage-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    allowOnly: false,
    passWithNoTests: false,
  },
});
