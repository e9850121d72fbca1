import { expect, test } from 'vitest';
import { complaints } from '../support/metric-conventions.ts';

const plain = { help: 'It counts.', type: 'GAUGE', metrics: [] };

test.each([
  [{ ...plain, name: 'replichart_wal_bytes', help: ' ' }, 'no help text'],
  [{ ...plain, name: 'replichart_reads', type: 'COUNTER' }, 'counter metrics should have "_total" suffix'],
  [{ ...plain, name: 'replichart_reads_total' }, 'non-counter metrics should not have "_total" suffix'],
  [{ ...plain, name: 'replichart_segment_count' }, 'reserved suffix of a histogram or summary'],
  [
    { ...plain, name: 'replichart_lag', metrics: [{ labels: { le: '1' } }] },
    'reserved label of a histogram or summary',
  ],
  [{ ...plain, name: 'replichart_lag_gauge' }, 'metric type in the name'],
  [{ ...plain, name: 'replichart:lag' }, 'a colon is reserved for recording rules'],
  [{ ...plain, name: 'replichart_lag', metrics: [{ labels: { nodeId: '1' } }] }, 'not snake_case'],
  [{ ...plain, name: 'replichart_lag_ms' }, 'abbreviated unit'],
  [{ ...plain, name: 'replichart_lag_milliseconds' }, 'no base unit'],
  [{ ...plain, name: 'replichart_uptime_minutes' }, 'no base unit'],
  [{ ...plain, name: 'replichart_bytes_written' }, 'the unit is not the suffix'],
])('a metric that breaks a rule is found out: $name', (family, complaint) => {
  expect(complaints(family)).toEqual([`${family.name}: ${complaint}`]);
});

test('a metric that keeps them all is not', () => {
  const good = { ...plain, name: 'replichart_wal_written_bytes_total', type: 'COUNTER' };
  expect(complaints(good)).toEqual([]);
});
