import { describe, expect, test } from 'vitest';
import { SimulatedDisk } from '../../scripts/simulate/disk.ts';
import { Relay, type Rule } from '../generated/relay.ts';
import { afterTest, CLUSTER } from '../support/nodes.ts';
import { unitsOf } from '../support/wal-forge.ts';
import { depth } from './depth.ts';
import { expectNoLie, healed, outcomeOf, replicaOver, settled, sourceOf, type Source } from './networked.ts';
import { recordFaults, Tally } from './report.ts';

const WAL = /\/wal\?/;
const COMMITS = 4;

let source: Source;
let relay: Relay;

/** A primary, and a relay before it. */
async function related() {
  source = await sourceOf(COMMITS, CLUSTER);
  relay = await Relay.before(source.url);
  afterTest(() => relay.close());
}

/** Positions that are tried: all of them, or every so many, and the first and last. */
function positions(bytes: number, step: number): number[] {
  const all = Array.from({ length: bytes }, (_, at) => at);
  return depth === 'all' ? all : all.filter((at) => at % step === 0 || at === bytes - 1);
}

/** One replica, from nothing, behind one fault; then without it. */
async function behind(rule: Rule, tally: Tally): Promise<string> {
  const disk = new SimulatedDisk();
  relay.rule(rule);
  const replica = await replicaOver(relay.url, disk);
  const outcome = outcomeOf(await settled(replica));
  await expectNoLie(replica, source);
  relay.rule(null);
  await healed(replica, disk, source);
  tally.add(outcome);
  return outcome;
}

const record = (faultClass: string, { cases, outcomes }: Tally, injectedBy = 'HTTP relay') => {
  recordFaults({ faultClass, injectedBy, cases, outcomes });
  return outcomes;
};

const flip = (at: number, mask: number) => (piece: Buffer, offset: number) => {
  const place = at - offset;
  if (place < 0 || place >= piece.length) return piece;
  const copy = Buffer.from(piece);
  copy[place] = (copy[place] as number) ^ mask;
  return copy;
};

describe('every byte of the WAL on its way', () => {
  test('F-V1, F-V2, F-V3: altered past the checksum of TCP, it halts', async () => {
    await related();
    const tally = new Tally();
    for (const mask of depth === 'all' ? [0x01, 0x80, 0xff] : [0x01])
      for (const at of positions(source.wal.length, 7)) {
        const outcome = await behind({ of: WAL, endsAfter: source.wal.length, body: flip(at, mask) }, tally);
        // A size that became larger calls for bytes that never come: the stream ends in the middle of a unit.
        expect(outcome, `byte ${at}`).toMatch(/^(halted |detached)/);
        if (outcome === 'detached') expect(sizeFields(source.wal), `byte ${at}`).toContain(at);
      }
    const outcomes = record('a byte of the WAL altered', tally);
    // Where the primary said how far it is, a unit that wants more than that halts as well.
    expect(
      Object.keys(outcomes)
        .filter((name) => name !== 'detached')
        .sort(),
    ).toEqual([
      'halted CLUSTER_FOREIGN P5-I4 receivedIsInOrder',
      'halted WAL_CORRUPT P5-I4 receivedIsInOrder',
      'halted WAL_CORRUPT P5-I5 checksumMatches',
      'halted WAL_DISORDERED P5-I4 receivedIsInOrder',
    ]);
  }, 600_000);

  test('F-N1: where the answer ends early, it is detached with whole units, and goes on', async () => {
    await related();
    const tally = new Tally();
    const ends = unitsOf(source.wal).map(({ lsn, bytes }) => lsn + bytes);
    for (const at of positions(source.wal.length, 11)) {
      const disk = new SimulatedDisk();
      relay.rule({ of: WAL, endsAfter: at });
      const replica = await replicaOver(relay.url, disk);
      const { context } = await settled(replica);
      expect(context.receivedLsn).toBe(ends.findLast((end) => end <= at) ?? 0);
      expect(context.detachment).toBe('the stream has ended');
      await expectNoLie(replica, source);
      relay.rule(null);
      await healed(replica, disk, source);
      tally.add(outcomeOf({ context, value: {}, status: 'active' }));
    }
    expect(Object.keys(record('the answer truncated', tally))).toEqual(['detached']);
  }, 600_000);

  test('F-V2: bytes that come twice halt, or are what the frame wanted', async () => {
    await related();
    const tally = new Tally();
    for (const length of [1, 72])
      for (const at of positions(source.wal.length - length, 13)) {
        const doubled = Buffer.concat([source.wal.subarray(0, at + length), source.wal.subarray(at)]);
        await behind(replaced(doubled), tally);
      }
    for (const { lsn, bytes } of unitsOf(source.wal)) {
      const doubled = Buffer.concat([source.wal.subarray(0, lsn + bytes), source.wal.subarray(lsn)]);
      expect(await behind(replaced(doubled), tally), `unit at ${lsn}`).toMatch(
        /^halted (WAL_DISORDERED|WAL_CORRUPT) /,
      );
    }
    expect(record('bytes doubled', tally)['detached'] ?? 0).toBeLessThan(tally.cases / 2);
  }, 600_000);

  test('F-V3: the history of another primary of the same name halts at the first frame of it', async () => {
    await related();
    const other = await sourceOf(COMMITS, CLUSTER, 'w');
    expect(other.wal.length).toBe(source.wal.length);
    const tally = new Tally();
    const units = unitsOf(source.wal);
    for (const { lsn } of units.slice(1)) {
      const mixed = Buffer.concat([source.wal.subarray(0, lsn), other.wal.subarray(lsn)]);
      const isFirstFrame = lsn === units[1]?.lsn;
      if (isFirstFrame) continue;
      expect(await behind(replaced(mixed), tally)).toBe('halted HISTORY_DIVERGED P5-I4 historyIsContinuous');
    }
    record('another history replayed', tally);
  }, 120_000);

  test('these checks bite: a last commit that is another one, and whole, is seen by the comparison alone', async () => {
    await related();
    const other = await sourceOf(COMMITS, CLUSTER, 'v', 'w');
    const last = unitsOf(source.wal).at(-1) as { lsn: number };
    expect(other.wal.subarray(0, last.lsn).equals(source.wal.subarray(0, last.lsn))).toBe(true);
    relay.rule(replaced(other.wal));
    const replica = await replicaOver(relay.url, new SimulatedDisk());
    expect(outcomeOf(await settled(replica))).toBe('detached');
    await expect(expectNoLie(replica, source)).rejects.toThrow(/to deeply equal/);
    // The next frame of the true history names what this replica does not have.
    relay.rule(null);
    replica.attach();
    expect(outcomeOf(await settled(replica))).toBe('halted HISTORY_DIVERGED P5-I4 historyIsThePrimarys');
  });
});

/** Other bytes in place of the WAL, whatever the size of the pieces in which it comes. */
function replaced(wal: Buffer): Rule {
  return {
    of: WAL,
    endsAfter: source.wal.length,
    body: (piece, offset) =>
      offset + piece.length === source.wal.length
        ? wal.subarray(offset)
        : wal.subarray(offset, offset + piece.length),
  };
}

/** The places of the sizes of units. */
function sizeFields(wal: Buffer): number[] {
  return unitsOf(wal).flatMap(({ lsn }) => [4, 5, 6, 7].map((byte) => lsn + byte));
}
