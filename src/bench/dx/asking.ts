import { Client } from 'undici';
import { BenchFailure } from '../failure.ts';
import { QUESTIONS, type Question } from './questions.ts';

/** Milliseconds by node and question. */
export class Samples {
  readonly #taken = new Map<string, number[]>();

  add(node: string, question: string, milliseconds: number): void {
    this.#of(node, question).push(milliseconds);
  }

  of(node: string, question: string): readonly number[] {
    return this.#of(node, question);
  }

  get count(): number {
    return [...this.#taken.values()].reduce((sum, { length }) => sum + length, 0);
  }

  #of(node: string, question: string): number[] {
    const key = `${node} ${question}`;
    let taken = this.#taken.get(key);
    if (taken === undefined) this.#taken.set(key, (taken = []));
    return taken;
  }
}

export interface AskedNode {
  readonly name: string;
  readonly url: string;
}

/** Asks every question once and looks at what is answered: a node that answers fast and wrong has no time at all. */
export async function proveAnswers({ name, url }: AskedNode): Promise<void> {
  const client = new Client(url);
  try {
    for (const question of QUESTIONS) {
      const text = (await answerOf(client, name, question)).toString();
      const isJson = question.endpoint.contentType === 'application/json';
      const parsed = question.endpoint.answer.safeParse(isJson ? JSON.parse(text) : text);
      if (!parsed.success)
        throw new BenchFailure(`${name} answers ${question.path} in another shape: ${parsed.error.message}`);
    }
  } finally {
    await client.close();
  }
}

/**
 * Asks every node for a while, over `connections` kept-alive connections each with one request in flight. Each
 * connection goes through the questions in turn, whole at least once, and begins elsewhere than the one before.
 */
export async function askFor(
  seconds: number,
  connections: number,
  nodes: readonly AskedNode[],
  samples: Samples,
  signal: AbortSignal,
): Promise<void> {
  const until = performance.now() + seconds * 1_000;
  const apart = Math.ceil(QUESTIONS.length / connections);
  await Promise.all(
    nodes.flatMap((node) =>
      Array.from({ length: connections }, (_, index) => ask(node, index * apart, until, samples, signal)),
    ),
  );
}

async function ask(
  { name, url }: AskedNode,
  first: number,
  until: number,
  samples: Samples,
  signal: AbortSignal,
): Promise<void> {
  const client = new Client(url);
  try {
    for (let asked = 0; asked < QUESTIONS.length || performance.now() < until; asked += 1) {
      signal.throwIfAborted();
      const question = QUESTIONS[(first + asked) % QUESTIONS.length] as Question;
      const began = performance.now();
      await answerOf(client, name, question);
      samples.add(name, question.name, performance.now() - began);
    }
  } finally {
    await client.close();
  }
}

/** The whole answer: its time is over when its last byte was read. */
async function answerOf(client: Client, node: string, { path, endpoint }: Question): Promise<Buffer> {
  const { status, body } = await reached(node, path, async () => {
    const answer = await client.request({ method: 'GET', path });
    return { status: answer.statusCode, body: Buffer.from(await answer.body.arrayBuffer()) };
  });
  if (endpoint.statuses.includes(status)) return body;
  throw new BenchFailure(`${node} answers ${path} with ${status}: ${body.toString()}`);
}

async function reached<Result>(node: string, path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new BenchFailure(`${node} gives no answer to ${path}: ${String(error)}`, { cause: error });
  }
}
