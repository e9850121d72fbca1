import type { ComponentChildren } from 'preact';

/** A value that may not be known: then it says so, and is never a number. */
export function Value({
  of,
  unit,
}: {
  readonly of: string | number | null | undefined;
  readonly unit?: string;
}) {
  if (of === null || of === undefined) return <span class="unknown">unknown</span>;
  const text = typeof of === 'number' ? of.toLocaleString('en') : of;
  return (
    <span class="value">
      {unit === undefined ? '' : `${unit} `}
      {text}
    </span>
  );
}

/** Raw evidence, field by field. */
export function Evidence({ of }: { readonly of: Readonly<Record<string, unknown>> }) {
  const fields = Object.entries(of);
  if (fields.length === 0) return null;
  return (
    <dl class="evidence">
      {fields.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{isPlain(value) ? <Evidence of={value} /> : <code>{textOf(value)}</code>}</dd>
        </div>
      ))}
    </dl>
  );
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0
  );
}

function textOf(value: unknown): string {
  if (value === null) return 'null';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A part of the page with a heading of its own. */
export function Panel(props: {
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
  readonly aside?: ComponentChildren;
}) {
  const { id, title, children, aside } = props;
  return (
    <section class="panel" id={id} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
