/**
 * Journals of real failures, kept as the recorders of the nodes wrote them. The machine of today has to make of every
 * event what the machine of that day made of it; where the chart was changed on purpose, UPDATE_FLIGHTS=1 records them
 * anew.
 */
import { readdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fixturePath, keepFixture, newestFlight, replayed } from '../support/flights.ts';
import { FLIGHT_SCENARIOS, type FlightScenario } from '../support/flight-scenarios.ts';
import type { JournalVerdict } from '../../src/replay/journal.ts';

const FIXTURE_BYTES_MAX = 200_000;

const ending = ({ verdict, final }: JournalVerdict) => ({
  verdict,
  state: final?.state,
  code: final?.halt?.['code'] ?? null,
  rule: final?.halt?.['rule'] ?? null,
});
const pinned = ({ ending: { state, code, rule } }: FlightScenario) => ({
  verdict: 'same',
  state,
  code,
  rule,
});

describe.each(FLIGHT_SCENARIOS.map((scenario) => [scenario.title, scenario] as const))(
  '%s',
  (_title, one) => {
    test('is recorded, and the pure machine makes the same of it', async () => {
      const dataDir = await one.record();
      const live = await replayed(dataDir);
      expect(ending(live)).toEqual(pinned(one));
      expect(live).toMatchObject({ gaps: 0, lost: 0, torn: null, damage: null, difference: null });
      expect(live.ended).toBe(live.runs);
      await keepFixture(one.name, await newestFlight(dataDir));
    });

    test('is kept as a fixture, and is the same today', async () => {
      const kept = await replayed(fixturePath(one.name));
      expect(kept.difference).toBeNull();
      expect(ending(kept)).toEqual(pinned(one));
      expect(kept.steps).toBeGreaterThan(6);
      expect((await stat(fixturePath(one.name))).size).toBeLessThan(FIXTURE_BYTES_MAX);
    });
  },
);

test('every fixture has its scenario', async () => {
  const kept = (await readdir(dirname(fixturePath('any')))).map((name) => name.replace(/\.flight$/, ''));
  expect(kept.sort()).toEqual(FLIGHT_SCENARIOS.map(({ name }) => name).sort());
});
