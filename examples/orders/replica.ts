/** Another service that reads those orders from a replica of its own. It may lag; what it answers is true. */
import { fastify } from 'fastify';
import { createReplica, ERRORS, ReplichartError, type Position } from 'replichart';

const [dataDir = './orders-replica', port = '7002', primaryUrl = 'http://127.0.0.1:7001/replichart'] =
  process.argv.slice(2);

const replica = await createReplica({ dataDir, primaryUrl, replication: 'enabled', logLevel: 'warn' });
const app = fastify({ forceCloseConnections: true });

app.get<{ Params: { id: string }; Headers: { 'x-position'?: string } }>(
  '/orders/:id',
  async ({ params, headers }, reply) => {
    const sent = headers['x-position'];
    const request = sent === undefined ? {} : { position: JSON.parse(sent) as Position };
    const order = await replica.read((view) => view.get('orders', params.id), request);
    if (order === null) return reply.code(404).send({ found: false });
    return reply.type('application/json').send(order.document);
  },
);

// A read that cannot be proved is refused, with the reason: the position lies ahead, is of another history, the node halted.
app.setErrorHandler((error, _request, reply) => {
  if (!(error instanceof ReplichartError)) throw error;
  return reply.code(ERRORS[error.code].status).send({ refused: error.code, because: error.message });
});

app.get('/health', async (_request, reply) => {
  const health = replica.health();
  return reply.code(health.ready ? 200 : 503).send({ ...health, doing: replica.status().name });
});

// The engine never retries by itself: when to ask again is for the host to say, and each attempt can be seen.
const asking = setInterval(() => {
  const status = replica.status();
  if ('stream' in status && status.stream.state === 'detached') replica.attach();
}, 1_000);

console.log(JSON.stringify({ url: await app.listen({ host: '127.0.0.1', port: Number(port) }) }));

process.once('SIGTERM', () => {
  clearInterval(asking);
  void app.close().then(() => replica.stop());
});
