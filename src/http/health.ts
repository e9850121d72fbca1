import type { FastifyInstance } from 'fastify';
import { replicaState } from '../../machines/replica-state.ts';
import type { ServedNode } from '../node/served-node.ts';

/** For process supervisors and load balancers: alive, and safe to send reads to. */
export function healthPlane(app: FastifyInstance, served: () => ServedNode | null): void {
  app.get('/livez', async () => ({ status: 'ok' }));

  app.get('/readyz', async (_request, reply) => {
    const reasons = blockingReasons(served());
    void reply.code(reasons.length === 0 ? 200 : 503);
    return { ready: reasons.length === 0, reasons };
  });
}

export function blockingReasons(node: ServedNode | null): readonly string[] {
  if (node === null) return ['NODE_STARTING'];
  const { value, context } = node.snapshot();
  if (context.halt !== null) return [context.halt.code];
  if (context.input.role === 'primary' && value === 'disabled') return [];
  return [`STATE_${replicaState(value)}`];
}
