/**
 * What is not mutated, by two narrow rules. Text for people: what stands in `description`, `meaning` and `action`, and
 * the sentences handed to those who put them there or throw them. The literals of the statecharts: states, targets,
 * guards and actions by name; breaking those by hand is the business of the chart's own mutations, and half of them
 * XState refuses to load. Functions inside a chart are mutated like any other.
 */
export interface SyntaxNode {
  readonly type: string;
  readonly loc?: {
    readonly start: { readonly line: number; readonly column: number };
    readonly end: { readonly line: number; readonly column: number };
  };
  readonly key?: { readonly name?: string; readonly value?: unknown };
  readonly callee?: { readonly name?: string };
  readonly properties?: readonly SyntaxNode[];
}

export interface SyntaxPath {
  readonly node: SyntaxNode;
  readonly parentPath: SyntaxPath | null;
  /** The place in the parent: a field, or an index into `listKey`. */
  readonly key: string | number | null;
  readonly listKey?: string | undefined;
}

const TEXT_FIELDS = new Set(['description', 'meaning', 'action']);

/** Callee and place of the argument that is a sentence for people. */
const TEXT_ARGUMENTS: Readonly<Record<string, readonly number[]>> = {
  assertThat: [1],
  Error: [0],
  InvariantBug: [0],
  ReplichartError: [1],
  notProvided: [0],
  route: [0],
  unitCheck: [1],
};

const CHART_FIELDS = new Set([
  'actions',
  'actors',
  'always',
  'guard',
  'guards',
  'initial',
  'invoke',
  'meta',
  'on',
  'onDone',
  'onError',
  'options',
  'src',
  'states',
  'target',
  'types',
]);

const CHART_ARGUMENTS: Readonly<Record<string, readonly number[]>> = { prove: [0, 1, 2, 3], onFault: [1] };

const LITERALS = new Set([
  'StringLiteral',
  'TemplateLiteral',
  'ObjectExpression',
  'ArrayExpression',
  'BooleanLiteral',
]);
const FUNCTIONS = new Set(['ArrowFunctionExpression', 'FunctionExpression', 'FunctionDeclaration']);

/** Why the mutants of this very node are left out, or `null`; what stands inside it is asked on its own. */
export function reasonToLeaveOut(path: SyntaxPath, file: string): 'text' | 'chart' | null {
  if (!LITERALS.has(path.node.type)) return null;
  if (isText(path)) return 'text';
  return file.startsWith('machines/') && isChart(path) ? 'chart' : null;
}

function isText(path: SyntaxPath): boolean {
  if (path.node.type !== 'StringLiteral' && path.node.type !== 'TemplateLiteral') return false;
  const parent = path.parentPath;
  if (parent === null) return false;
  if (parent.node.type === 'ObjectProperty') return path.key === 'value' && TEXT_FIELDS.has(fieldOf(parent));
  return isArgument(path, TEXT_ARGUMENTS);
}

function isChart(path: SyntaxPath): boolean {
  if (path.node.properties?.some((one) => CHART_FIELDS.has(one.key?.name ?? '')) === true) return true;
  for (let at = path; ;) {
    if (isArgument(at, CHART_ARGUMENTS)) return true;
    if (at.node.type === 'ObjectProperty' && CHART_FIELDS.has(fieldOf(at))) return true;
    if (at.parentPath === null || FUNCTIONS.has(at.parentPath.node.type)) return false;
    at = at.parentPath;
  }
}

function fieldOf({ node }: SyntaxPath): string {
  return node.key?.name ?? String(node.key?.value);
}

function isArgument(path: SyntaxPath, places: Readonly<Record<string, readonly number[]>>): boolean {
  if (path.listKey !== 'arguments' || typeof path.key !== 'number') return false;
  return places[path.parentPath?.node.callee?.name ?? '']?.includes(path.key) === true;
}
