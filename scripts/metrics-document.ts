/** The figures of a node as a document for operators, from the registries that nodes answer `/metrics` by. */
import type { Role } from '../src/core/identity.ts';
import { metricsOf, type MetricDescription } from '../src/node/metrics.ts';

const ROLES: readonly Role[] = ['primary', 'replica'];

export function metricsDocument(): string {
  const byRole = new Map(ROLES.map((role) => [role, metricsOf(role)]));
  const names = [...byRole.values()].flat().map(({ name }) => name);
  return [
    '# Metrics',
    '',
    'Written by `npm run generate` from the registry of `src/node/metrics.ts`; `npm run check:generated` fails when it is out',
    'of date. A node answers them at `/metrics`, for Prometheus. Counters begin at 0 with the node; what is not known has no',
    'sample, so that nothing is ever 0 for want of knowledge.',
    '',
    '| metric | type | labels | on | what it says |',
    '| --- | --- | --- | --- | --- |',
    ...[...new Set(names)].sort().map((name) => row(name, byRole)),
    '',
  ].join('\n');
}

function row(name: string, byRole: ReadonlyMap<Role, readonly MetricDescription[]>): string {
  const found = [...byRole].flatMap(([role, metrics]) =>
    metrics.filter((metric) => metric.name === name).map((metric) => ({ role, ...metric })),
  );
  const roles = found.map(({ role }) => role).join(', ');
  const [{ type, labels, help } = { type: '', labels: [], help: '' }] = found;
  const shown = labels.map((label) => `\`${label}\``).join(', ');
  return `| \`${name}\` | ${type} | ${shown} | ${roles} | ${help.replaceAll('|', '\\|')} |`;
}
