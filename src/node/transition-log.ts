import type { Level, Logger } from 'pino';
import { statesEntered } from '../core/state-line.ts';
import { isHalting, type Transition } from './transitions.ts';

/** One structured line a transition: what was asked, what it said, where the node stands, and why it is halted. */
export function transitionLog(logger: Logger): (transition: Transition, node: string | null) => void {
  return (transition, node) => {
    // Nothing is louder than a halt: a logger that leaves it out leaves out everything.
    if (!logger.isLevelEnabled('error')) return;
    const level = levelOf(transition);
    if (!logger.isLevelEnabled(level)) return;
    const { from, to, event, verdicts, positions, halt } = transition;
    logger[level](
      {
        node,
        from,
        to,
        event,
        guards: Object.fromEntries(verdicts.map(({ rule_id: rule, evaluation }) => [rule, evaluation])),
        ...positions,
        ...(halt === null ? {} : { halt }),
      },
      'transition',
    );
  };
}

/** What an operator is to look at stands out: a halt at once, a lost primary as soon as it matters. */
function levelOf(transition: Transition): Level {
  if (isHalting(transition)) return 'error';
  const entered = statesEntered(transition.from, transition.to);
  return entered.some((path) => path.endsWith('.detached')) ? 'warn' : 'info';
}
