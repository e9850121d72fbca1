import { Evidence } from './value.tsx';

interface ShownRule {
  readonly rule_id: string;
  readonly description?: string;
  readonly evaluation: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

const MARKS: Readonly<Record<string, string>> = { holds: '✓', violated: '✗', undetermined: '?' };

/** Rules as they were decided; what does not hold shows its evidence at once. */
export function Rules({ rules, label }: { readonly rules: readonly ShownRule[]; readonly label: string }) {
  return (
    <ul class="rules" aria-label={label}>
      {rules.map((rule, index) => (
        <li key={`${index} ${rule.rule_id}`} class={`rule ${rule.evaluation}`}>
          <Rule {...rule} />
        </li>
      ))}
    </ul>
  );
}

export function Rule({ rule_id: id, description, evaluation, evidence }: ShownRule) {
  return (
    <>
      <p>
        <span class="mark" aria-hidden="true">
          {MARKS[evaluation] ?? '·'}
        </span>{' '}
        <strong>{id}</strong> <span class="evaluation">{evaluation}</span>
      </p>
      {description === undefined ? null : <p class="faint">{description}</p>}
      {Object.keys(evidence).length === 0 ? null : (
        <details open={evaluation !== 'holds'}>
          <summary>
            Evidence<span class="for-readers"> of {id}</span>
          </summary>
          <Evidence of={evidence} />
        </details>
      )}
    </>
  );
}
