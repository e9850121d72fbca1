import type { AttachAnswer, AttachFacts, ReceiptFacts } from '../../../src/core/ingress.ts';
import { FORMAT_VERSION } from '../../../src/core/limits.ts';
import { positionOf, type Position } from '../../../src/core/position.ts';
import type { ingressActors } from '../../2-ingress.ts';
import {
  chainAfter,
  CLUSTER,
  OTHER_CLUSTER,
  otherThan,
  positionAfter,
  UNIT_BYTES,
  unitsOf,
  WRONG_UNITS,
} from '../history.ts';
import { CANNOT, type Outcomes } from '../outcome.ts';
import { refused, unreachable } from './source.ts';

const met = (formatVersion: number, clusterId: string) => () =>
  ({
    kind: 'met',
    primary: { clusterId, formatVersion, oldestLsn: 0, durable: positionAfter(0) },
  }) as const;

type Asked = Position & { readonly clusterId: string };
const answered = (chain: Asked, answer: AttachAnswer): AttachFacts => ({
  clusterId: chain.clusterId,
  requested: positionOf(chain),
  answer,
});
const attachment = (answer: (asked: Asked) => AttachAnswer) => (chain: Asked) =>
  answered(chain, answer(chain));

const attached = (clusterId: string, startLsn: number, units = unitsOf({ lsn: startLsn })): AttachAnswer => ({
  kind: 'attached',
  clusterId,
  startLsn,
  durable: positionAfter(units),
});

type ReceiveInput = { readonly expectedLsn: number };
const receipt = ({ expectedLsn }: ReceiveInput, change: Partial<ReceiptFacts>): ReceiptFacts => ({
  expectedLsn,
  fromLsn: expectedLsn,
  toLsn: expectedLsn,
  units: 0,
  suspect: null,
  chunkGap: null,
  primary: null,
  ended: null,
  ...change,
});

export const ingressOutcomes: Outcomes<typeof ingressActors> = {
  meetPrimary: {
    met: met(FORMAT_VERSION, CLUSTER),
    'met, of another format': met(FORMAT_VERSION + 1, CLUSTER),
    'met, of another cluster': met(FORMAT_VERSION, OTHER_CLUSTER),
    refused: () => refused('UNAUTHORIZED'),
    unreachable: () => unreachable,
  },
  attach: {
    attached: attachment(({ clusterId, lsn }) => attached(clusterId, lsn)),
    'attached, and further on': (chain, { units }) => {
      const [asked, durable] = [unitsOf(chain), Math.min(unitsOf(chain) + 2, units)];
      return durable > asked ? answered(chain, attached(chain.clusterId, chain.lsn, durable)) : CANNOT;
    },
    'attached to another cluster': attachment(({ clusterId, lsn }) => attached(otherThan(clusterId), lsn)),
    'attached at another place': attachment(({ clusterId, lsn }) => attached(clusterId, lsn + UNIT_BYTES)),
    'refused: diverged': attachment(() => refused('HISTORY_DIVERGED')),
    'refused: no such position': attachment(() => refused('POSITION_INVALID')),
    'refused: pruned': attachment(() => refused('WAL_PRUNED')),
    unreachable: attachment(() => unreachable),
  },
  receive: {
    'a unit': (input, { units }) =>
      input.expectedLsn >= units * UNIT_BYTES
        ? CANNOT
        : receipt(input, { units: 1, toLsn: input.expectedLsn + UNIT_BYTES }),
    'a notice': (input) => receipt(input, { primary: positionAfter(unitsOf({ lsn: input.expectedLsn })) }),
    'a notice of more': (input, { units }) =>
      input.expectedLsn >= units * UNIT_BYTES
        ? CANNOT
        : receipt(input, { primary: positionAfter(unitsOf({ lsn: input.expectedLsn }) + 1) }),
    'the end': (input) => receipt(input, { ended: 'the stream has ended' }),
    'a gap between chunks': (input) =>
      receipt(input, { chunkGap: { expectedLsn: input.expectedLsn, foundLsn: input.expectedLsn + 1 } }),
    'a unit at another place': (input) =>
      receipt(input, {
        suspect: WRONG_UNITS['at another place'](chainAfter(unitsOf({ lsn: input.expectedLsn }))),
      }),
    'a batch from elsewhere': (input) =>
      receipt(input, {
        fromLsn: input.expectedLsn + UNIT_BYTES,
        toLsn: input.expectedLsn + 2 * UNIT_BYTES,
        units: 1,
      }),
  },
  persist: { persisted: ({ fromLsn }) => fromLsn + UNIT_BYTES },
};
