import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')) as Record<string, unknown>;

describe('the package', () => {
  test('pins every dependency exactly', () => {
    const manifest = read('package.json');
    const ranges = Object.entries({
      ...(manifest['dependencies'] as Record<string, string>),
      ...(manifest['devDependencies'] as Record<string, string>),
      ...(manifest['overrides'] as Record<string, string>),
    });
    expect(ranges.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(ranges.length).toBeGreaterThan(10);
  });

  test('has a lockfile that names no registry', () => {
    const lockfile = JSON.stringify(read('package-lock.json'));
    expect(lockfile).not.toContain('"resolved"');
    expect(lockfile).not.toMatch(/https?:\/\/[^"]*registry/);
  });
});
