import type { FastifyInstance } from 'fastify';
import { gateVerdicts, noApplicationIsInFlight } from '../core/read-safety.ts';
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

/** The rules that stand against a read now. An application in flight only defers one. */
export function blockingReasons(node: ServedNode | null): readonly string[] {
  if (node === null) return ['NODE_STARTING'];
  const facts = node.gate.facts();
  if (facts.halt !== null) return [facts.halt.code];
  return gateVerdicts(facts)
    .filter(({ rule, evaluation }) => evaluation !== 'holds' && rule !== noApplicationIsInFlight.rule)
    .map(({ rule }) => rule);
}
