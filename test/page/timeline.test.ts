import { describe, expect, test } from 'vitest';
import { crc32c } from '../../src/core/bytes.ts';
import { addressWith, baseOf, nodesOf } from '../../visualizations/page/model/address.ts';
import { crc32cAfter } from '../../visualizations/page/model/crc32c.ts';
import { momentOf } from '../../visualizations/page/model/moment.ts';
import { parallelPaths, stepped } from '../../visualizations/page/model/regions.ts';
import { MOMENTS_MAX, Timeline } from '../../visualizations/page/model/timeline.ts';
import { stepOf } from '../support/pages.ts';

const moment = (sequence: number, run = 'run') =>
  momentOf(run, { ...stepOf(sequence), transitions: [], verdicts: [] });

function timelineOf(...sequences: readonly number[]): Timeline {
  const timeline = new Timeline();
  for (const sequence of sequences) timeline.add(moment(sequence));
  return timeline;
}
const shown = (timeline: Timeline) =>
  Array.from({ length: timeline.end - timeline.first }, (_, index) => {
    const entry = timeline.at(timeline.first + index);
    return entry?.kind === 'moment' ? entry.moment.sequence : entry?.text;
  });

describe('the timeline of a page', () => {
  test('holds each transition once, in order', () => {
    expect(shown(timelineOf(1, 2, 2, 1, 3))).toEqual([1, 2, 3]);
  });

  test('shows what is missing: before the first, in between, and behind what was told of', () => {
    expect(shown(timelineOf(4, 5, 7))).toEqual([
      '3 transitions are missing here',
      4,
      5,
      '1 transition is missing here',
      7,
    ]);
    const timeline = timelineOf(1);
    timeline.missed('only the newest transitions are kept');
    timeline.add(moment(3));
    expect(shown(timeline)).toEqual([
      1,
      '1 transition is missing here; only the newest transitions are kept',
      3,
    ]);
  });

  test('goes on over another run of the node, and says so', () => {
    const timeline = timelineOf(1, 2);
    timeline.add(moment(1, 'another'));
    expect(shown(timeline)).toEqual([1, 2, 'another run of the node begins', 1]);
  });

  test('keeps the newest, and the place that is looked at keeps its transition', () => {
    const timeline = new Timeline();
    const count = MOMENTS_MAX + 2_000;
    for (let sequence = 1; sequence <= count; sequence += 1) {
      timeline.add(moment(sequence));
      if (sequence === MOMENTS_MAX) timeline.look(MOMENTS_MAX - 1);
    }
    const held = shown(timeline);
    expect(held.length).toBeGreaterThanOrEqual(MOMENTS_MAX);
    expect(held.length).toBeLessThan(MOMENTS_MAX + 1_000);
    expect([held.at(-1), timeline.moments, timeline.gone + held.length]).toEqual([count, count, count]);
    expect(timeline.momentAt(timeline.place ?? 0)?.sequence).toBe(MOMENTS_MAX);
    timeline.look(0);
    expect(timeline.momentAt(timeline.place ?? 0)?.sequence).toBe(timeline.gone + 1);
  });

  test('follows the newest until a place is chosen, and again when it is told to', () => {
    const timeline = timelineOf(1, 2, 3);
    timeline.look(1);
    timeline.add(moment(4));
    expect([timeline.isFollowing, timeline.place]).toEqual([false, 1]);
    timeline.look(null);
    expect([timeline.isFollowing, timeline.place]).toEqual([true, 3]);
  });
});

describe('what a page reads a journal with', () => {
  test('checks the same checksum as the recorder wrote', () => {
    const bytes = Buffer.from('123456789');
    expect(crc32cAfter(0, bytes)).toBe(0xe3069283);
    expect(crc32cAfter(crc32cAfter(0, bytes.subarray(0, 4)), bytes.subarray(4))).toBe(crc32c(bytes));
  });

  test.each([
    ['of one region', 'r.a.x | r.b.x', ['r.b.y'], 'r.a.x | r.b.y'],
    ['of the first region', 'r.a.x | r.b.x', ['r.a.y'], 'r.a.y | r.b.x'],
    ['deeper in a region', 'r.a.x | r.b.x.i', ['r.b.x.j'], 'r.a.x | r.b.x.j'],
    ['out of all regions', 'r.a.x | r.b.x', ['halted'], 'halted'],
    ['into all regions', 'starting', ['r.a.x', 'r.b.x'], 'r.a.x | r.b.x'],
    ['nowhere', 'r.a.x | r.b.x', [], 'r.a.x | r.b.x'],
  ])('follows a step %s', (_, line, entered, after) => {
    expect(stepped(line, entered, parallelPaths(['starting', 'r.a.x | r.b.x', 'halted']))).toBe(after);
  });
});

describe('addresses of a page', () => {
  test('nodes stand in it as NAME=URL, and what is none is left out', () => {
    const nodes = [
      { name: 'a', url: 'http://127.0.0.1:1' },
      { name: 'b c', url: '../other/?x=1' },
    ];
    const address = addressWith('http://127.0.0.1:9/p/?keep=1&node=old=http://x', nodes);
    expect(nodesOf(address)).toEqual(nodes);
    expect(new URL(address).searchParams.get('keep')).toBe('1');
    expect(nodesOf('http://h/?node=noUrl&node=%3Dhttp://x&node=x%3Djavascript:alert(1)')).toEqual([]);
  });

  test.each([
    ['.', 'http://h/p/index', 'http://h/p/'],
    ['http://127.0.0.1:7001', 'http://h/', 'http://127.0.0.1:7001/'],
    ['/r?x#y', 'http://h/p/', 'http://h/r'],
    ['file:///etc', 'http://h/', null],
    ['http://', 'http://h/', null],
  ])('the base of %j on the page %j is %j', (url, page, base) => {
    expect(baseOf(url, page)).toBe(base);
  });
});
