import { fromPromise } from 'xstate';
import type { AttachFacts, MeetFacts, ReceiptFacts } from '../core/ingress.ts';
import { assertThat } from '../core/errors.ts';
import type { Position } from '../core/position.ts';
import type { ChainState } from '../core/wal/chain.ts';
import type { WalFiles } from '../io/wal/files.ts';
import type { WalSource } from '../io/wal-source.ts';
import { Inbox, type ReceivedUnit } from './inbox.ts';

/** What the ingress effects share: the stream at hand, and the bytes between socket and disk. */
export interface IngressDesk {
  inbox: Inbox | null;
}

/** Asks the primary who it is. */
export function defineMeetActor(source: WalSource) {
  return fromPromise<MeetFacts, null>(() => source.identify());
}

/** Asks for the stream at a position; a refusal is an answer. */
export function defineAttachActor(source: WalSource, desk: IngressDesk) {
  return fromPromise<AttachFacts, ChainState>(async ({ input: chain, signal }) => {
    const { lsn, commitId, historyHash, clusterId } = chain;
    const requested: Position = { lsn, commitId, historyHash };
    desk.inbox?.close();
    desk.inbox = null;
    const opened = await source.openWal(requested);
    if (opened.kind !== 'opened') return { clusterId, requested, answer: opened };
    const { stream } = opened;
    if (signal.aborted) {
      stream.close();
      return { clusterId, requested, answer: { kind: 'unreachable', message: 'the node stopped attaching' } };
    }
    desk.inbox = new Inbox(stream, chain);
    return {
      clusterId,
      requested,
      answer: {
        kind: 'attached',
        clusterId: stream.clusterId,
        startLsn: stream.startLsn,
        durable: stream.durable,
      },
    };
  });
}

/** Waits for the next whole units of the stream. */
export function defineReceiveActor(desk: IngressDesk) {
  return fromPromise<ReceiptFacts, { readonly expectedLsn: number }>(({ input }) => {
    assertThat(desk.inbox !== null, 'bytes are received from a stream that was opened');
    return desk.inbox.receive(input.expectedLsn);
  });
}

/** Appends the received units and makes them durable; says at which LSN received WAL ends then. */
export function definePersistActor(wal: () => WalFiles, desk: IngressDesk) {
  return fromPromise<number, { readonly fromLsn: number }>(async ({ input: { fromLsn } }) => {
    const { inbox } = desk;
    assertThat(inbox !== null && inbox.batch.length > 0, 'what is persisted was received');
    const files = wal();
    assertThat(files.endLsn === fromLsn, 'P5-I4: received bytes are appended exactly where the files end');
    await appendUnits(files, inbox.batch);
    return files.endLsn;
  });
}

async function appendUnits(wal: WalFiles, units: readonly ReceivedUnit[]): Promise<void> {
  let run: Buffer[] = [];
  const append = async () => {
    if (run.length === 0) return;
    await wal.append(run);
    await wal.datasync();
    run = [];
  };
  for (const { unit, bytes } of units) {
    if (unit === 'segment header') {
      // The segment before is durable before the next one exists.
      await append();
      await wal.startSegment(wal.endLsn, bytes);
    } else {
      run.push(bytes);
    }
  }
  await append();
}
