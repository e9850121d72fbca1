/** What belongs to one stage, cut out of a chart along the files of `machines/`. */
import type { Chart, ChartTransition } from '../../machines/chart.ts';
import { isHalted, isWithin, partOf, type ChartPart } from './part.ts';

interface Cut {
  /** Paths of states without what they hold; empty for the root. */
  readonly alone?: readonly string[];
  /** Paths of states with everything inside them. */
  readonly whole: readonly string[];
}

/** The states that the file of each stage defines. */
const CUTS = {
  '1-role': { alone: [''], whole: ['initializing', 'disabled', 'halted', 'stopped'] },
  '2-ingress': {
    whole: [
      'initializing.meetingPrimary',
      'initializing.provingMeeting',
      'initializing.provingSharedFormat',
      'initializing.provingPrimaryCluster',
      'replicating.ingesting',
    ],
  },
  '3-validation': { whole: ['replicating.validating'] },
  '4-application': { whole: ['replicating.applying'] },
  '5-bootstrap': { whole: ['bootstrapping'] },
  '6-recovery': { whole: ['recovering'] },
  // Each region is a stage of its own; what holds them comes with the gate over them.
  '7-read-gate': { alone: ['replicating'], whole: ['replicating.readGate'] },
} as const satisfies Record<string, Cut>;

export type StageName = keyof typeof CUTS;
export const STAGE_NAMES = Object.keys(CUTS) as StageName[];

export interface StageChart extends ChartPart {
  readonly stage: StageName;
}

/**
 * The states of a stage with every transition out of them, and every transition into them from other stages, except
 * where it halts: that is from almost everywhere. `null` where the chart has no state of that stage.
 */
export function stageChart(chart: Chart, stage: StageName): StageChart | null {
  const own = new Set(chart.states.filter(({ path }) => isOf(CUTS[stage], path)).map(({ id }) => id));
  if (own.size === 0) return null;
  const enters = ({ targets }: ChartTransition) => targets.some((id) => own.has(id) && !isHalted(chart, id));
  const transitions = chart.transitions.filter((one) => own.has(one.source) || enters(one));
  return { ...partOf(chart, own, transitions), stage };
}

function isOf({ alone = [], whole }: Cut, path: string): boolean {
  return alone.includes(path) || whole.some((outer) => isWithin(path, outer));
}
