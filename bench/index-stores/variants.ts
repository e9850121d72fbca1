import type { Applied, Read } from './phases.ts';
import { STORES, type StoreName } from './stores.ts';

/** A store, and whether each of its batches is waited for until it is on disk. */
export interface Variant {
  readonly store: StoreName;
  readonly durable: boolean;
}

/** What one variant did in one round. */
export interface StoreRun extends Variant {
  readonly round: number;
  readonly applied: Applied;
  readonly read: Read;
  /** `null` for what is in memory alone, here and below. */
  readonly disk_bytes: number | null;
  readonly after_kill: { readonly open_milliseconds: number; readonly documents_kept: number | null } | null;
  /** After it was closed. */
  readonly open_milliseconds: number | null;
}

/** What keeps nothing has no durable batches. */
export function runsOf(stores: readonly StoreName[]): readonly Variant[] {
  return stores.flatMap((store) =>
    (STORES[store].keeps ? [true, false] : [false]).map((durable) => ({ store, durable })),
  );
}
