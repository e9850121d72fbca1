import type { FastifyInstance } from 'fastify';
import { blockingChecks, gateVerdicts, noApplicationIsInFlight } from '../core/read-safety.ts';
import type { ServedNode } from '../node/served-node.ts';
import { answer } from './answer.ts';
import { getLivez, getReadyz } from './contract/health.ts';

/** For process supervisors and load balancers: alive, and safe to send reads to. */
export function healthPlane(app: FastifyInstance, served: () => ServedNode | null): void {
  answer(app, getLivez, async () => ({ status: 'ok' as const }));

  answer(app, getReadyz, async ({ query, reply }) => {
    const reasons = blockingReasons(served());
    const ready = reasons.length === 0;
    void reply.code(ready ? 200 : 503);
    if (query.verbose === true) return reply.type('text/plain').send(verboseLines(served(), ready));
    return { ready, reasons };
  });
}

/** The rules that stand against reads now. */
export function blockingReasons(node: ServedNode | null): readonly string[] {
  if (node === null) return ['NODE_STARTING'];
  const facts = node.gate.facts();
  if (facts.halt !== null) return [facts.halt.code];
  return blockingChecks(facts).map(({ rule }) => rule);
}

/** One line a check, as health checks of services are commonly printed. */
function verboseLines(node: ServedNode | null, ready: boolean): string {
  const verdicts = node === null ? [] : gateVerdicts(node.gate.facts());
  const lines = verdicts.map(({ rule, evaluation, evidence }) =>
    evaluation === 'holds'
      ? `[+] ${rule}: holds`
      : `[${rule === noApplicationIsInFlight.rule ? '~' : '-'}] ${rule}: ${evaluation} ${JSON.stringify(evidence)}`,
  );
  return [...(node === null ? ['[-] the node is starting'] : lines), ready ? 'ready' : 'not ready', ''].join(
    '\n',
  );
}
