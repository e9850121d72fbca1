/** What a test worker is told to do, and what it answers: one JSON object a line. */
export interface Trial {
  readonly mutant: string;
  /** More evaluations of the mutant than this are an endless loop. */
  readonly hitsMax: number;
}

/** What one test is run for, and how long one run may take. */
export interface TestPlan {
  readonly milliseconds: number;
  readonly trials: readonly Trial[];
}

export type Job =
  /** Run every test once and note which mutants it comes past. */
  | { readonly mode: 'observe'; readonly answers: string; readonly now: string }
  /** Run each test once for each mutant that is planned for it. */
  | {
      readonly mode: 'warm';
      readonly answers: string;
      readonly now: string;
      readonly plan: Readonly<Record<string, TestPlan>>;
    }
  /** One mutant from the first import on. */
  | { readonly mode: 'cold'; readonly trial: Trial; readonly now: string };

export type Answer =
  | {
      readonly kind: 'test';
      readonly id: string;
      readonly file: string;
      readonly name: string;
      readonly passed: boolean;
      readonly message: string;
      readonly milliseconds: number;
      readonly hits: Readonly<Record<string, number>>;
    }
  /** What was evaluated outside of tests: at import, and in hooks around all of them. */
  | { readonly kind: 'static'; readonly file: string; readonly hits: Readonly<Record<string, number>> }
  | {
      readonly kind: 'killed';
      readonly mutant: string;
      readonly test: string;
      readonly how: 'assertion' | 'timeout';
    }
  | { readonly kind: 'survived'; readonly mutant: string; readonly test: string }
  /** Without any mutant the test failed now: nothing it says any more counts. */
  | { readonly kind: 'dirty'; readonly mutant: string | null; readonly test: string };

declare module 'vitest' {
  interface ProvidedContext {
    mutation: Job;
  }
}
