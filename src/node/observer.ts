import type { InspectionEvent } from 'xstate';
import type { Claim } from '../../machines/claims.ts';
import { describeError } from '../core/errors.ts';
import { flightRecorderOf, type FlightConfig } from './flight.ts';
import type { FlightFigures } from './flight-recorder.ts';
import { NodeMetrics } from './metrics.ts';
import type { NodePorts } from './ports.ts';
import type { ReadOutcome } from './read-gate.ts';
import { TransitionBuffer } from './transition-buffer.ts';
import { transitionLog } from './transition-log.ts';
import { TransitionReader } from './transitions.ts';
import { unfailing } from './unfailing.ts';

/** Everything that watches a node, behind one inspector. What fails in it is told to the process and nowhere else. */
export interface NodeObserver {
  readonly inspect: (inspection: InspectionEvent) => void;
  /** The chart itself has failed: no transition says so. */
  readonly failed: (error: unknown) => void;
  readonly countRead: (outcome: ReadOutcome, reason: string) => void;
  readonly transitions: TransitionBuffer;
  readonly metrics: NodeMetrics;
  /** What the flight recorder says of itself; `null` without one. */
  readonly flight: () => FlightFigures | null;
  /** Writes out what the flight recorder holds; never rejects. */
  readonly close: () => Promise<void>;
}

/** Reads each transition once, by the claims of the chart, and hands it to log, followers, counters and recorder alike. */
export function observerOf(
  config: FlightConfig,
  { logger, inspect, newUuid, files }: Pick<NodePorts, 'logger' | 'inspect' | 'newUuid' | 'files'>,
  claims: Readonly<Record<string, Claim>>,
): NodeObserver {
  const transitions = new TransitionBuffer(newUuid());
  const metrics = new NodeMetrics(config.role);
  const recorder = flightRecorderOf(config, { files, logger }, transitions.runId);
  const reader = new TransitionReader(claims);
  const log = unfailing('the transition log', transitionLog(logger));
  const append = unfailing('the transition buffer', transitions.append.bind(transitions));
  const count = unfailing('the counting of transitions', metrics.count.bind(metrics));
  const watch = unfailing('the reading of transitions', (inspection: InspectionEvent) => {
    const transition = reader.read(inspection);
    recorder?.observe(inspection, transition);
    if (transition === null) return;
    log(transition, reader.nodeId);
    append(transition);
    count(transition);
  });
  const host = inspect && unfailing('an inspector', inspect);
  return {
    inspect(inspection) {
      watch(inspection);
      host?.(inspection);
    },
    failed: unfailing('the log', (error: unknown) => {
      recorder?.failed(error);
      logger.error({ node: reader.nodeId, error: describeError(error) }, 'the chart has failed');
    }),
    countRead: unfailing('the counting of reads', metrics.countRead.bind(metrics)),
    transitions,
    metrics,
    flight: () => recorder?.figures ?? null,
    close: async () => recorder?.close(),
  };
}
