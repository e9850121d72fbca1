import type { Json } from '../../core/bytes.ts';
import { ERRORS, ReplichartError } from '../../core/errors.ts';
import { postCommits } from '../../http/contract/data.ts';
import { ask, type ClientFlags } from '../client.ts';
import { badRow, kindOf, ROW_BYTES_MAX, type Row } from './row.ts';
import { rowsOf } from './rows.ts';

/** Takes the row's number as its id, for data that has none. */
export const ROW_NUMBER_AS_ID = '#';
const ROW_NUMBER_DIGITS = 9;
const REQUEST_BYTES_MAX = 8 * 1024 * 1024;

export interface ImportPlan {
  readonly primary: string;
  readonly collection: string;
  readonly idField: string;
  readonly rowsPerCommit: number;
  readonly commitsPerRequest: number;
  readonly client: ClientFlags;
}

/** What is known to be committed. */
export interface Imported {
  readonly rows: number;
  readonly commits: number;
  /** Bytes of the input that were read. */
  readonly bytes: number;
  /** Where the last commit ends; `null` when there was nothing to import. */
  readonly position: Json;
}

interface Commit {
  /** As JSON text: `{"ops":[…]}`. */
  readonly text: string;
  readonly bytes: number;
  readonly first: RowPlace;
  readonly last: RowPlace;
}
type RowPlace = Pick<Row, 'number' | 'line'>;

/**
 * Sends the rows of the input to a primary, in order, one request at a time; the next one is read meanwhile.
 *
 * @throws ReplichartError at the first row that cannot be imported, and when the primary refuses or is gone. Every row
 *   before the bad one is committed then, and the evidence says how many those are.
 */
export async function importRows(
  input: AsyncIterable<Buffer>,
  plan: ImportPlan,
  onProgress: (imported: Imported) => void,
): Promise<Imported> {
  const run = new ImportRun(plan, onProgress);
  try {
    for await (const rows of rowsOf(run.counted(input))) for (const row of rows) await run.add(row);
  } catch (error) {
    if (!(error instanceof ReplichartError) || run.failed) throw error;
    // The rows before the bad one are good.
    await run.finish();
    throw run.withCounts(error, `${error.message}.`, {});
  }
  return run.finish();
}

class ImportRun {
  readonly #plan: ImportPlan;
  readonly #onProgress: (imported: Imported) => void;
  #imported: Imported = { rows: 0, commits: 0, bytes: 0, position: null };
  #bytesRead = 0;
  #ops: string[] = [];
  #opsBytes = 0;
  #firstRow: RowPlace | null = null;
  #lastRow: RowPlace | null = null;
  #commits: Commit[] = [];
  #commitsBytes = 0;
  /** The request under way, as its outcome: it may fail while the input is being waited for. */
  #underWay: Promise<{ readonly failure: unknown } | null> = Promise.resolve(null);
  failed = false;

  constructor(plan: ImportPlan, onProgress: (imported: Imported) => void) {
    this.#plan = plan;
    this.#onProgress = onProgress;
  }

  async *counted(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of input) {
      this.#bytesRead += chunk.length;
      yield chunk;
    }
  }

  async add(row: Row): Promise<void> {
    const { collection, rowsPerCommit, commitsPerRequest } = this.#plan;
    const id = idOf(row, this.#plan.idField);
    const key = `{"op":"put","collection":${JSON.stringify(collection)},"id":${JSON.stringify(id)},"document":`;
    if (this.#opsBytes + row.bytes > ROW_BYTES_MAX)
      throw badRow(row.line, row.number, `the rows of one commit are longer than ${ROW_BYTES_MAX} bytes`);
    this.#ops.push(`${key}${row.text}}`);
    this.#opsBytes += key.length + row.bytes;
    this.#firstRow ??= row;
    this.#lastRow = row;
    if (this.#ops.length === rowsPerCommit) {
      if (this.#commitsBytes + this.#opsBytes > REQUEST_BYTES_MAX) await this.#sendCommits();
      this.#closeCommit();
    }
    if (this.#commits.length === commitsPerRequest) await this.#sendCommits();
  }

  /** Sends what is left and waits for the answer. */
  async finish(): Promise<Imported> {
    this.#closeCommit();
    await this.#sendCommits();
    await this.#settled();
    return { ...this.#imported, bytes: this.#bytesRead };
  }

  withCounts(
    error: ReplichartError,
    message: string,
    evidence: Readonly<Record<string, Json>>,
  ): ReplichartError {
    const { rows, commits, position } = this.#imported;
    return new ReplichartError(
      error.code,
      `${message} Committed before: ${count(rows, 'row')} in ${count(commits, 'commit')}`,
      {
        invariant: error.invariant,
        evidence: {
          ...error.evidence,
          ...evidence,
          rows_committed: rows,
          commits_committed: commits,
          position,
        },
        cause: error,
      },
    );
  }

  #closeCommit(): void {
    const [first, last] = [this.#firstRow, this.#lastRow];
    if (first === null || last === null) return;
    this.#commits.push({ text: `{"ops":[${this.#ops.join(',')}]}`, bytes: this.#opsBytes, first, last });
    this.#commitsBytes += this.#opsBytes;
    this.#ops = [];
    this.#opsBytes = 0;
    this.#firstRow = null;
    this.#lastRow = null;
  }

  async #sendCommits(): Promise<void> {
    const commits = this.#commits;
    this.#commits = [];
    this.#commitsBytes = 0;
    await this.#settled();
    if (commits.length === 0) return;
    this.#underWay = this.#send(commits).then(
      () => null,
      (failure: unknown) => ({ failure }),
    );
  }

  async #settled(): Promise<void> {
    const outcome = await this.#underWay;
    if (outcome === null) return;
    this.failed = true;
    throw outcome.failure;
  }

  /** A refused request leaves nothing behind: sent again in halves, it comes down to the commit that is refused. */
  async #send(commits: readonly Commit[]): Promise<void> {
    const [first] = commits;
    if (first === undefined) return;
    try {
      await this.#post(commits);
    } catch (error) {
      if (!(error instanceof ReplichartError)) throw error;
      if (!isRefusalOfContent(error)) throw this.#interrupted(error, commits);
      if (commits.length === 1) throw this.#refused(error, first);
      const half = commits.length >> 1;
      await this.#send(commits.slice(0, half));
      await this.#send(commits.slice(half));
    }
  }

  async #post(commits: readonly Commit[]): Promise<void> {
    const { primary, client } = this.#plan;
    const body = `{"commits":[${commits.map(({ text }) => text).join(',')}]}`;
    const answer = await ask(primary, postCommits, client, { body });
    if (!('commits' in answer) || answer.commits !== commits.length)
      throw new ReplichartError('NODE_UNREACHABLE', `${primary} does not answer as a primary does`);
    const { rows, commits: before } = this.#imported;
    this.#imported = {
      rows: rows + rowsIn(commits),
      commits: before + commits.length,
      bytes: this.#bytesRead,
      position: answer.position,
    };
    this.#onProgress(this.#imported);
  }

  #refused(error: ReplichartError, { first, last }: Commit): ReplichartError {
    const where =
      first.number === last.number
        ? `line ${first.line} (row ${first.number})`
        : `lines ${first.line} to ${last.line} (rows ${first.number} to ${last.number}, one commit)`;
    return this.withCounts(
      new ReplichartError('IMPORT_INVALID', error.message, { cause: error }),
      `${where}: the primary refuses it: ${error.message}.`,
      {
        line: first.line,
        row: first.number,
        last_line: last.line,
        last_row: last.number,
        refusal: { code: error.code, evidence: error.evidence },
      },
    );
  }

  #interrupted(error: ReplichartError, commits: readonly Commit[]): ReplichartError {
    const [first, last] = [commits[0]?.first, commits.at(-1)?.last];
    const known = nothingWasDone(error);
    const fate = known ? 'were not committed' : 'may or may not be committed';
    return this.withCounts(
      error,
      `${error.message}. The rows of the request under way, ${first?.number} to ${last?.number} (lines ${first?.line} to ${last?.line}), ${fate}.`,
      {
        under_way: {
          first_row: first?.number ?? null,
          last_row: last?.number ?? null,
          committed: known ? false : null,
        },
      },
    );
  }
}

/** @throws ReplichartError `IMPORT_INVALID` when the field cannot be an id without loss. */
function idOf({ value, line, number }: Row, field: string): string {
  if (field === ROW_NUMBER_AS_ID) return String(number).padStart(ROW_NUMBER_DIGITS, '0');
  const shown = `the id field ${JSON.stringify(field)}`;
  if (!Object.hasOwn(value, field)) throw badRow(line, number, `${shown} is missing`);
  const id = value[field];
  if (id === '') throw badRow(line, number, `${shown} is empty`);
  if (typeof id === 'string') return id;
  if (typeof id !== 'number')
    throw badRow(line, number, `${shown} is ${kindOf(id)}; it must be a string or a number`);
  if (!Number.isFinite(id) || (Number.isInteger(id) && !Number.isSafeInteger(id)))
    throw badRow(line, number, `${shown} is a number too large to be exact; write it as a string`);
  return String(id);
}

function rowsIn(commits: readonly Commit[]): number {
  return commits.reduce((rows, { first, last }) => rows + last.number - first.number + 1, 0);
}

const REFUSALS_OF_CONTENT: readonly string[] = ['REQUEST_INVALID', 'COMMIT_INVALID', 'COMMIT_TOO_LARGE'];

function isRefusalOfContent({ code }: ReplichartError): boolean {
  return REFUSALS_OF_CONTENT.includes(code);
}

/** Errors of a connection that never came to be. */
const NEVER_CONNECTED: readonly Json[] = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'];

/** A refusal for the request's sake comes before anything of it is done. */
function nothingWasDone({ code, evidence }: ReplichartError): boolean {
  if (code === 'NODE_UNREACHABLE') return NEVER_CONNECTED.includes(evidence['error'] ?? null);
  return ERRORS[code].status < 500;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
