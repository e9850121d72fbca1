/** Which mutants the compiler refuses. `npm test` builds first, so what does not compile does not pass it. */
import { join } from 'node:path';
import ts from 'typescript';
import type { Mutant } from './mutants.ts';

/** Unused names and unreachable code: to refuse these is tidiness, not the notice that something is wrong. */
const TIDINESS = new Set([6133, 6138, 6192, 6196, 6198, 6199, 6205, 7027]);

export class TypeChecker {
  readonly #root: string;
  readonly #service: ts.LanguageService;
  readonly #texts = new Map<string, { readonly text: string; readonly version: number }>();

  constructor(root: string) {
    this.#root = root;
    const read = ts.readConfigFile(join(root, 'tsconfig.build.json'), (path) => ts.sys.readFile(path));
    const { options, fileNames } = ts.parseJsonConfigFileContent(read.config, ts.sys, root);
    const texts = this.#texts;
    this.#service = ts.createLanguageService({
      getScriptFileNames: () => fileNames,
      getScriptVersion: (path) => String(texts.get(path)?.version ?? 0),
      getScriptSnapshot: (path) => {
        const text = texts.get(path)?.text ?? ts.sys.readFile(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => root,
      getCompilationSettings: () => options,
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      fileExists: (path) => ts.sys.fileExists(path),
      readFile: (path) => ts.sys.readFile(path),
      directoryExists: (path) => ts.sys.directoryExists(path),
      getDirectories: (path) => ts.sys.getDirectories(path),
    });
  }

  /**
   * The mutants of texts that the compiler refuses. Many are looked at together, each on a line of its own; what is
   * reported on that line is reported of it. Looks at the mutated file only: what breaks its importers is not seen.
   */
  refused(mutants: readonly Mutant[]): ReadonlySet<string> {
    const refused = new Set<string>();
    const texts = mutants.filter(({ mutator }) => mutator === 'StringLiteral');
    for (const file of new Set(texts.map((mutant) => mutant.file))) {
      let left = texts.filter((mutant) => mutant.file === file && !mutant.original.includes('\n'));
      while (left.length > 0) {
        const batch = [...new Map(left.map((mutant) => [mutant.line, mutant])).values()];
        const lines = this.#linesRefused(file, batch);
        for (const { id, line } of batch) if (lines.has(line)) refused.add(id);
        left = left.filter((mutant) => !batch.includes(mutant));
      }
    }
    return refused;
  }

  #linesRefused(file: string, batch: readonly Mutant[]): ReadonlySet<number> {
    const path = join(this.#root, file);
    const original = ts.sys.readFile(path) ?? '';
    const lines = original.split('\n');
    for (const { line, column, original: before, replacement } of batch) {
      const text = lines[line - 1] ?? '';
      lines[line - 1] = text.slice(0, column - 1) + replacement + text.slice(column - 1 + before.length);
    }
    this.#put(path, lines.join('\n'));
    const found = [
      ...this.#service.getSyntacticDiagnostics(path),
      ...this.#service.getSemanticDiagnostics(path),
    ];
    this.#put(path, original);
    return new Set(
      found
        .filter(({ category, code }) => category === ts.DiagnosticCategory.Error && !TIDINESS.has(code))
        .map(({ file: where, start }) => (where?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0) + 1),
    );
  }

  #put(path: string, text: string): void {
    this.#texts.set(path, { text, version: (this.#texts.get(path)?.version ?? 0) + 1 });
  }
}
