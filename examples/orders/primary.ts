/** A service that owns its data: every write is a commit, and whoever may can follow them. */
import { fastify } from 'fastify';
import { createPrimary } from 'replichart';
import { replichartPlugin } from 'replichart/fastify';

interface Order {
  readonly id: string;
  readonly item: string;
}

const [dataDir = './orders', port = '7001'] = process.argv.slice(2);

const primary = await createPrimary({ dataDir, replication: 'enabled', logLevel: 'warn' });
const app = fastify({ forceCloseConnections: true });

// The page, the metrics, and what replicas follow: http://127.0.0.1:7001/replichart/
await app.register(replichartPlugin, { node: primary, prefix: '/replichart' });

app.post<{ Body: Order }>('/orders', async ({ body }, reply) => {
  const position = await primary.commit([
    { op: 'put', collection: 'orders', id: body.id, document: JSON.stringify(body) },
  ]);
  // Whoever sends this along with a read, to whichever replica, reads at least this order.
  return reply.code(201).header('x-position', JSON.stringify(position)).send(body);
});

console.log(JSON.stringify({ url: await app.listen({ host: '127.0.0.1', port: Number(port) }) }));

process.once('SIGTERM', () => {
  void app.close().then(() => primary.stop());
});
