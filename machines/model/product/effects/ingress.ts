import type { ingressActors } from '../../../2-ingress.ts';
import { UNIT_BYTES, WRONG_UNITS } from '../../history.ts';
import { chainOf, endOf, historyOf, type Unit } from '../history.ts';
import { NO_STREAM, withDisk, withMemory, withNetwork, type World } from '../world.ts';
import { tabled, type Answer, type Effects } from './effect.ts';

/** What is looked at before a unit is written; everything else waits for its proof. */
const AT_THE_DOOR: ReadonlySet<string> = new Set(['not framed', 'of another cluster', 'at another place']);

export const ingressEffects: Effects<keyof typeof ingressActors> = {
  meetPrimary: {
    answer: (world, input) => tabled('meetPrimary', world.primary.isUp ? 'met' : 'unreachable', input, world),
  },
  attach: {
    answer: (world, chain) => {
      const { primary } = world;
      const closed = { ...world, network: NO_STREAM };
      if (!primary.isUp) return tabled('attach', 'unreachable', chain, closed);
      const from = historyOf(chain);
      if (from === null || !primary.wal.startsWith(from))
        return tabled('attach', 'refused: diverged', chain, closed);
      if (from.length < primary.prunedTo) return tabled('attach', 'refused: pruned', chain, closed);
      const opened = { ...world, network: { sent: from, arrived: [], counted: from.length } };
      const { clusterId, lsn } = chain;
      const answer = { kind: 'attached', clusterId, startLsn: lsn, durable: endOf(primary.wal) };
      return tabled('attach', 'attached', chain, opened, { answer });
    },
  },
  receive: { answer: receive },
  persist: {
    answer: (world, { fromLsn }) => {
      const { origin, wal } = world.disk;
      const { batch } = world.memory;
      if (batch.length === 0) return { asserts: 'what is persisted was received' };
      const end = origin.length + wal.length;
      if (end * UNIT_BYTES !== fromLsn)
        return { asserts: 'received bytes are appended exactly where the files end' };
      const written = [...wal, ...batch];
      const behind = withDisk(world, { wal: written, synced: written.length });
      return {
        outcome: 'persisted',
        output: (end + batch.length) * UNIT_BYTES,
        world: withMemory(behind, { batch: [] }),
      };
    },
    // Nothing of it is synced before all of it is written.
    halves: (world) => {
      const { wal } = world.disk;
      return world.memory.batch.flatMap((unit, index, batch) => [
        withDisk(world, { wal: [...wal, ...batch.slice(0, index)], isTorn: true }),
        withDisk(world, { wal: [...wal, ...batch.slice(0, index), unit] }),
      ]);
    },
  },
};

/** Says what has arrived, or that the stream has ended; waits where neither is so. */
function receive(world: World, input: { readonly expectedLsn: number }): Answer | null {
  const { arrived, sent, counted } = world.network;
  const [first] = arrived;
  if (first === undefined) return sent === null ? tabled('receive', 'the end', input, world) : null;
  const taken = withNetwork(world, { arrived: [] });
  if (first.kind === 'notice')
    return tabled('receive', 'a notice', input, taken, { primary: endOf(first.durable) });
  if (first.kind === 'gap') {
    const chunkGap = { expectedLsn: first.expected * UNIT_BYTES, foundLsn: first.found * UNIT_BYTES };
    return tabled('receive', 'a gap between chunks', input, taken, { chunkGap });
  }
  const units = arrived.flatMap((one) => (one.kind === 'unit' ? [one.unit] : []));
  return receiveUnits(taken, input, units, counted);
}

/** The inbox counts from where the stream was asked for; the chart from what it has persisted. */
function receiveUnits(
  world: World,
  input: { readonly expectedLsn: number },
  arrived: readonly Unit[],
  counted: number,
): Answer {
  const stopsAt = arrived.findIndex(({ wrong }) => wrong !== null && AT_THE_DOOR.has(wrong));
  const units = stopsAt === -1 ? arrived : arrived.slice(0, stopsAt);
  const { upTo, wrong = null } = arrived[stopsAt] ?? {};
  const facts = {
    fromLsn: counted * UNIT_BYTES,
    toLsn: (counted + units.length) * UNIT_BYTES,
    units: units.length,
  };
  const behind = withMemory(withNetwork(world, { counted: counted + arrived.length }), { batch: units });
  if (upTo !== undefined && wrong !== null) {
    const facing = chainOf(upTo.slice(0, -1));
    const found = { ...facts, primary: null, suspect: WRONG_UNITS[wrong](facing) };
    return tabled('receive', 'a unit at another place', input, behind, found);
  }
  const isInOrder = facts.fromLsn === input.expectedLsn;
  return tabled('receive', isInOrder ? 'a unit' : 'a batch from elsewhere', input, behind, facts);
}
