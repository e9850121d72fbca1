import type { Logger } from 'pino';
import type { InspectionEvent, StateValue } from 'xstate';
import type { NodePorts } from './ports.ts';

/** A state value as one line: `replicating.ingesting.receiving | replicating.readGate.open`. */
export function stateLine(value: StateValue): string {
  const paths = (at: StateValue, prefix: string): string[] =>
    typeof at === 'string'
      ? [`${prefix}${at}`]
      : Object.entries(at).flatMap(([key, child]) =>
          child === undefined ? [`${prefix}${key}`] : paths(child, `${prefix}${key}.`),
        );
  return paths(value, '').join(' | ');
}

interface MachineSnapshot {
  readonly value: StateValue;
  readonly context: {
    readonly identity: { readonly nodeId: string } | null;
    readonly applied: unknown;
    readonly halt: unknown;
  };
}

/**
 * The transition log and, beside it, the inspector of the host. An inspector that throws would kill the actor, so what
 * fails in one is reported to the process and nowhere else.
 */
export function inspectorOf({
  logger,
  inspect,
}: Pick<NodePorts, 'logger' | 'inspect'>): (inspection: InspectionEvent) => void {
  const log = transitionLog(logger);
  if (inspect === undefined) return log;
  return (inspection) => {
    log(inspection);
    try {
      inspect(inspection);
    } catch (error) {
      process.emitWarning(`an inspector failed: ${String(error)}`);
    }
  };
}

/** One structured line a microstep of the node's chart. */
function transitionLog(logger: Logger): (inspection: InspectionEvent) => void {
  let from = 'none';
  return (inspection) => {
    if (inspection.type !== '@xstate.microstep' || !isMachine(inspection.snapshot)) return;
    try {
      const { value, context } = inspection.snapshot as unknown as MachineSnapshot;
      const to = stateLine(value);
      logger.info(
        {
          node: context.identity?.nodeId ?? null,
          from,
          to,
          event: inspection.event.type,
          applied: context.applied,
          ...(context.halt === null ? {} : { halt: context.halt }),
        },
        'transition',
      );
      from = to;
    } catch (error) {
      process.emitWarning(`a transition could not be logged: ${String(error)}`);
    }
  };
}

/** Effects are actors too; only the chart has a machine. */
function isMachine(snapshot: unknown): boolean {
  return typeof snapshot === 'object' && snapshot !== null && 'machine' in snapshot;
}
