/**
 * The public API as a document: of every entry of the package what it exports, as the compiler declares it, and every type of this
 * package that those declarations name. Whatever changes for a host changes this document.
 */
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import ts from 'typescript';

interface Manifest {
  readonly exports: Readonly<Record<string, { readonly types: string }>>;
}

/** Reads the declarations that `npm run build` has made. */
export async function apiDocument(root: string): Promise<string> {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  const entries = Object.entries(exports).map(([name, { types }]) => [name, join(root, types)] as const);
  const program = ts.createProgram(
    entries.map(([, file]) => file),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      skipLibCheck: true,
      types: [],
    },
  );
  const reader = new ApiReader(program, root);
  const sections = entries.map(([name, file]) => sectionOf(reader, name.replace('.', 'replichart'), file));
  return `${[
    '# The API',
    '',
    'Written by `npm run generate` from the declarations of the package; `npm run check:generated` fails when it is out of date.',
    'A difference in this file is a change of the public API. [How to embed a node](../EMBEDDING.md).',
    '',
    ...sections.flat(),
    '## Named by those',
    '',
    'Not exported by name, and part of what is exported.',
    '',
    ...reader.named().flatMap(blockOf),
  ].join('\n')}`;
}

function sectionOf(reader: ApiReader, name: string, file: string): readonly string[] {
  return [`## \`${name}\``, '', ...reader.exportsOf(file).flatMap(blockOf)];
}

interface Declared {
  readonly name: string;
  readonly text: string;
}

const blockOf = ({ name, text }: Declared) => [`### ${name}`, '', '```ts', text, '```', ''];

class ApiReader {
  readonly #program: ts.Program;
  readonly #checker: ts.TypeChecker;
  readonly #own: string;
  readonly #shown = new Set<ts.Symbol>();
  readonly #waiting = new Set<ts.Symbol>();

  constructor(program: ts.Program, root: string) {
    this.#program = program;
    this.#checker = program.getTypeChecker();
    this.#own = join(root, 'dist');
  }

  exportsOf(file: string): readonly Declared[] {
    const source = this.#program.getSourceFile(file);
    const module = source && this.#checker.getSymbolAtLocation(source);
    if (module === undefined)
      throw new Error(`${relative(this.#own, file)} is no module: npm run build makes it`);
    return this.#checker
      .getExportsOfModule(module)
      .sort((one, other) => (one.name < other.name ? -1 : 1))
      .map((symbol) => ({ name: symbol.name, text: this.#textOf(this.#resolved(symbol), symbol.name) }));
  }

  /** What was named and not shown, and what that names, until nothing new comes. */
  named(): readonly Declared[] {
    const named: Declared[] = [];
    for (const symbol of this.#waiting)
      if (!this.#shown.has(symbol))
        named.push({ name: symbol.name, text: this.#textOf(symbol, symbol.name) });
    return named.sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  #resolved(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }

  #textOf(symbol: ts.Symbol, name: string): string {
    // A type that two entries export is shown in both, and named by nobody twice.
    this.#shown.add(symbol);
    const declarations = (symbol.declarations ?? []).map((one) =>
      ts.isVariableDeclaration(one) ? one.parent.parent : one,
    );
    const texts = declarations.map((one) => {
      const whole = one.getFullText().trim();
      // What the compiler has worked out by itself, as the type of a machine, it words differently from build to build.
      if (whole.includes('import("')) return `${docOf(whole)}export declare const ${symbol.name}: …;`;
      this.#collect(one);
      return whole;
    });
    const text = [...new Set(texts)].join('\n');
    return symbol.name === name ? text : `// as ${name}\n${text}`;
  }

  /** Takes note of every type of this package that a declaration names. */
  #collect(node: ts.Node): void {
    if (ts.isIdentifier(node)) {
      const found = this.#checker.getSymbolAtLocation(node);
      const symbol = found && this.#resolved(found);
      if (symbol !== undefined && this.#isOwn(symbol)) this.#waiting.add(symbol);
    }
    ts.forEachChild(node, (child) => this.#collect(child));
  }

  #isOwn(symbol: ts.Symbol): boolean {
    return (symbol.declarations ?? []).some(
      (one) =>
        one.getSourceFile().fileName.startsWith(this.#own) &&
        (ts.isInterfaceDeclaration(one) || ts.isTypeAliasDeclaration(one) || ts.isClassDeclaration(one)),
    );
  }
}

function docOf(declaration: string): string {
  return /^\/\*\*[^]*?\*\/\s*/.exec(declaration)?.[0] ?? '';
}
