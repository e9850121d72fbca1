import { primaryClaims, primaryMachine, primaryRoutes } from '../../machines/primary.ts';
import { chartFacts } from '../node/chart-facts.ts';

export const primaryChart = chartFacts('primary', primaryMachine, primaryClaims, primaryRoutes);
