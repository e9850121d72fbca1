import { nodeClaims, nodeMachine, nodeRoutes } from '../../machines/node.ts';
import { chartFacts } from '../node/chart-facts.ts';

export const replicaChart = chartFacts('node', nodeMachine, nodeClaims, nodeRoutes);
