import { createPrimary } from 'replichart';
import * as z from 'zod';
import { collection, store } from './collection.ts';

const item = z.object({ name: z.string().min(1), price: z.int().nonnegative() });
const items = collection('items', item);

const [dataDir = './catalogue'] = process.argv.slice(2);
await using primary = await createPrimary({ dataDir, logLevel: 'warn' });
const catalogue = store(primary, primary);

const position = await catalogue.commit(
  items.put('a', { name: 'Anvil', price: 1200 }),
  items.put('b', { name: 'Bolt', price: 2 }),
);
let refused = 0;
try {
  await catalogue.commit(items.put('c', { name: '', price: -1 }));
} catch (error) {
  if (!(error instanceof z.ZodError)) throw error;
  refused = error.issues.length;
}
const found = await catalogue.read(
  async (view) => {
    const seen = [];
    for await (const [id, { name, price }] of items.on(view).all()) seen.push({ id, name, price });
    return seen;
  },
  { position },
);
console.log(JSON.stringify({ found, refused }));
