import { describe, expect, test } from 'vitest';
import { ENDPOINT_NAMES, ENDPOINTS, type EndpointName } from '../../src/http/contract/endpoints.ts';
import { ask } from '../support/http.ts';
import {
  fixedPrimary,
  haltedReplica,
  REQUESTS,
  restingReplica,
  startFixedPrimary,
  startFixedReplica,
} from '../support/http-worlds.ts';

/** Counters and events are of one run, and grow while they are asked. */
const OF_ONE_RUN: readonly EndpointName[] = ['getEvents', 'getMetrics'];
const ASKED = ENDPOINT_NAMES.filter((name) => ENDPOINTS[name].plane === 'dx' && !OF_ONE_RUN.includes(name));
/** Every way of asking that gives another answer. */
const MORE = [
  '/v1/machine',
  '/v1/wal?after=0',
  '/v1/mvcc/versions?at=2',
  '/v1/explain/read?collection=c&id=b',
  '/v1/explain/read?collection=c&id=none&at=0',
  '/v1/explain/replication?at=99',
];

async function answersOf(url: string): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  for (const path of [...ASKED.map((name) => REQUESTS[name]), ...MORE]) {
    const { status, type, text } = await ask(url, path);
    answers[path] = `${status} ${type}\n${text}`;
  }
  return answers;
}

function failureIn(answers: Record<string, string>): unknown {
  const [, body = ''] = (answers[REQUESTS.getStatus] ?? '').split('\n');
  return (JSON.parse(body) as { data: { failure: unknown } }).data.failure;
}

/** Dates as they are commonly written, and numbers that could count the time since 1970. */
const TIMESTAMP = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\b1[6-9]\d{8}(\d{3})?\b/;

function expectNoTimestamp(answers: Record<string, string>): void {
  for (const [path, answer] of Object.entries(answers))
    // Digits of a hash may look like anything.
    expect([path, answer.replace(/"[0-9a-f]{64}"/g, '""')]).not.toEqual([
      path,
      expect.stringMatching(TIMESTAMP),
    ]);
}

describe('P5-I14: the same state gives the same bytes', () => {
  test('asked twice, and after the restart of a primary', async () => {
    const first = await fixedPrimary();
    const answers = await answersOf(first.url);
    expect(await answersOf(first.url)).toEqual(answers);
    expectNoTimestamp(answers);
    await first.primary.stop();
    const second = await startFixedPrimary(first.dataDir);
    const restarted = await answersOf(second.url as string);
    // The first start found an empty directory, the second one a history: what it did about it is its answer.
    const recovery = REQUESTS.explainRecovery;
    expect({ ...restarted, [recovery]: '' }).toEqual({ ...answers, [recovery]: '' });
    await second.stop();
    const third = await startFixedPrimary(first.dataDir);
    expect(await answersOf(third.url as string)).toEqual(restarted);
  });

  test('asked twice, and after the restart of a replica that rests', async () => {
    const { url } = await fixedPrimary();
    const first = await restingReplica(url);
    const answers = await answersOf(first.url);
    expect(await answersOf(first.url)).toEqual(answers);
    expectNoTimestamp(answers);
    await first.replica.stop();
    const second = await restingReplica(url, first.dataDir);
    const restarted = await answersOf(second.url);
    const recovery = REQUESTS.explainRecovery;
    expect({ ...restarted, [recovery]: '' }).toEqual({ ...answers, [recovery]: '' });
    await second.replica.stop();
    const third = await restingReplica(url, first.dataDir);
    expect(await answersOf(third.url)).toEqual(restarted);
  });

  test('P5-I10: asked twice, and after the restart of a halted replica', async () => {
    const first = await haltedReplica();
    const answers = await answersOf(first.url);
    expect(await answersOf(first.url)).toEqual(answers);
    expectNoTimestamp(answers);
    await first.replica.stop();
    // What had been received is not looked at by a start that meets a halt record.
    const second = await haltedReplica(first.dataDir);
    const restarted = await answersOf(second.url);
    expect(failureIn(restarted)).toEqual(failureIn(answers));
    expect(failureIn(answers)).toMatchObject({ code: 'WAL_CORRUPT' });
    await second.replica.stop();
    const third = await haltedReplica(first.dataDir);
    expect(await answersOf(third.url)).toEqual(restarted);
  });

  test('a replica whose replication is switched off says the same after every start', async () => {
    const { url, primary } = await fixedPrimary();
    const { replica, dataDir } = await restingReplica(url);
    await replica.stop();
    await primary.stop();
    const first = await startFixedReplica(url, dataDir, { replication: 'disabled' });
    const answers = await answersOf(first.url);
    await first.replica.stop();
    const second = await startFixedReplica(url, dataDir, { replication: 'disabled' });
    expect(await answersOf(second.url)).toEqual(answers);
    expectNoTimestamp(answers);
  });
});
