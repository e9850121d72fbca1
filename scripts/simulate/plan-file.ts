/** A plan as text, one action a line: what a failing seed leaves behind, and what is run again from it. */
import type { Plan } from './plan.ts';

export function planText({ actions, ...cluster }: Plan): string {
  const lines = actions.map((action) => `    ${JSON.stringify(action)}`);
  return `{\n  "cluster": ${JSON.stringify(cluster)},\n  "actions": [\n${lines.join(',\n')}\n  ]\n}\n`;
}

/** @throws SyntaxError, TypeError where it is no plan. */
export function planOf(text: string): Plan {
  const { cluster, actions } = JSON.parse(text) as {
    cluster: Omit<Plan, 'actions'>;
    actions: Plan['actions'];
  };
  if (!Array.isArray(actions) || !Array.isArray(cluster.replicas)) throw new TypeError('it is no plan');
  return { ...cluster, actions };
}
