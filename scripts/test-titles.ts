/** Reads the names of tests out of their source, without running them. */
import ts from 'typescript';

/** Titles of `describe` around a test and its own, joined as the test runner joins them. */
export type TestTitle = string;

const SUITES = new Set(['describe', 'suite']);
const TESTS = new Set(['test', 'it']);
/** What never runs proves nothing. */
const NEVER_RUN = new Set(['skip', 'todo']);
const JOINED_BY = ' > ';

/** Every test of a source file. A test of a table is one title a row, where the rows stand in the file. */
export function testTitles(path: string, source: string): readonly TestTitle[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ES2023, true);
  const titles: TestTitle[] = [];
  const visit = (node: ts.Node, around: readonly string[]): void => {
    const call = callOf(node);
    if (call === 'never run') return;
    if (call === null) {
      ts.forEachChild(node, (child) => visit(child, around));
      return;
    }
    for (const title of titlesOf(call)) {
      if (call.kind === 'test') titles.push([...around, title].join(JOINED_BY));
      else for (const part of call.rest) visit(part, [...around, title]);
    }
  };
  visit(file, []);
  return titles;
}

interface TestCall {
  readonly kind: 'suite' | 'test';
  readonly title: ts.Expression;
  /** The table of `each` or `for`. */
  readonly table: ts.Expression | null;
  readonly rest: readonly ts.Expression[];
}

function callOf(node: ts.Node): TestCall | 'never run' | null {
  if (!ts.isCallExpression(node)) return null;
  const [title, ...rest] = node.arguments;
  if (title === undefined || rest.length === 0) return null;
  let table: ts.Expression | null = null;
  let callee: ts.Expression = node.expression;
  // describe.each(table)(…), test.skipIf(condition)(…)
  if (ts.isCallExpression(callee)) {
    const modifier = ts.isPropertyAccessExpression(callee.expression) ? callee.expression.name.text : '';
    if (modifier === 'each' || modifier === 'for') table = callee.arguments[0] ?? null;
    callee = callee.expression;
  }
  let neverRun = false;
  while (ts.isPropertyAccessExpression(callee)) {
    neverRun ||= NEVER_RUN.has(callee.name.text);
    callee = callee.expression;
  }
  if (!ts.isIdentifier(callee) || !(SUITES.has(callee.text) || TESTS.has(callee.text))) return null;
  if (neverRun) return 'never run';
  return { kind: SUITES.has(callee.text) ? 'suite' : 'test', title, table, rest };
}

function titlesOf({ title, table }: TestCall): readonly string[] {
  const text = textOf(title);
  const rows = table === null ? null : rowsOf(table);
  if (rows === null) return [text];
  return [...new Set(rows.map((row) => filled(text, row)))];
}

/** The elements of a table that stands in the file, there or in a constant of its own. */
function rowsOf(table: ts.Expression): readonly ts.Expression[] | null {
  const bare = unwrapped(table);
  if (ts.isArrayLiteralExpression(bare)) return bare.elements.some(ts.isSpreadElement) ? null : bare.elements;
  if (!ts.isIdentifier(bare)) return null;
  const declared = declarationOf(bare);
  return declared === null ? null : rowsOf(declared);
}

function declarationOf(name: ts.Identifier): ts.Expression | null {
  for (const statement of name.getSourceFile().statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name: declared, initializer } of statement.declarationList.declarations)
      if (ts.isIdentifier(declared) && declared.text === name.text && initializer !== undefined)
        return initializer;
  }
  return null;
}

/** Puts the literals of a row where the title has `%s` or `$name`; what is no literal stays a placeholder. */
function filled(title: string, row: ts.Expression): string {
  const bare = unwrapped(row);
  const cells = ts.isArrayLiteralExpression(bare) ? [...bare.elements] : [bare];
  let next = 0;
  const positional = title.replace(/%[sdifjoO]/g, (placeholder) => {
    const cell = cells[next];
    next += 1;
    return (cell && literalOf(cell)) ?? placeholder;
  });
  if (!ts.isObjectLiteralExpression(bare)) return positional;
  return positional.replace(/\$(\w+)/g, (placeholder, name: string) => {
    const property = bare.properties.find(
      (one) => ts.isPropertyAssignment(one) && one.name.getText() === name,
    );
    return (
      (property && ts.isPropertyAssignment(property) ? literalOf(property.initializer) : null) ?? placeholder
    );
  });
}

function literalOf(node: ts.Expression): string | null {
  const bare = unwrapped(node);
  if (ts.isStringLiteralLike(bare) || ts.isNumericLiteral(bare)) return bare.text;
  return null;
}

/** A title as text; what is put in at run time stays as it is written. */
function textOf(title: ts.Expression): string {
  const bare = unwrapped(title);
  if (ts.isStringLiteralLike(bare)) return bare.text;
  if (ts.isTemplateExpression(bare)) return bare.getText().slice(1, -1);
  if (ts.isBinaryExpression(bare) && bare.operatorToken.kind === ts.SyntaxKind.PlusToken)
    return textOf(bare.left) + textOf(bare.right);
  return `\${${bare.getText()}}`;
}

function unwrapped(node: ts.Expression): ts.Expression {
  return ts.isAsExpression(node) || ts.isSatisfiesExpression(node) || ts.isParenthesizedExpression(node)
    ? unwrapped(node.expression)
    : node;
}
