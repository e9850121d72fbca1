import type { WalSource } from '../../src/io/wal-source.ts';
import { httpWalSource } from '../../src/io/http-wal-source.ts';

/** The real HTTP source with some of its answers altered on the way. */
export function alteredSource(
  url: string,
  alter: (source: WalSource) => Partial<WalSource>,
): () => WalSource {
  return () => {
    const source = httpWalSource({ url });
    return { ...source, ...alter(source) };
  };
}
