import { connect, type Socket } from 'node:net';
import { BenchFailure } from '../../src/bench/failure.ts';

const EMPTY = Buffer.alloc(0);

/** Whoever waits for an answer, and what of it has come. */
export interface Asked<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Questions and answers in one order over a connection on loopback, as little as can be done: it is not the client that is
 * measured. What an answer is, those know who extend it.
 */
export abstract class Exchange<Answer, Waiting extends Asked<Answer> = Asked<Answer>> {
  readonly #socket: Socket;
  /** The oldest first. */
  protected readonly asked: Waiting[] = [];
  #received: Buffer = EMPTY;
  #failure: Error | null = null;

  protected constructor(port: number, server: string) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => {
      const received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#received = received.subarray(this.take(received));
    });
    this.#socket.on('error', (error) => this.fail(error));
    this.#socket.on('close', () => this.fail(new BenchFailure(`${server} has closed the connection`)));
  }

  /** Takes up every whole message; gives where the first one begins that is not whole yet. */
  protected abstract take(received: Buffer): number;

  protected abstract waiting(asked: Asked<Answer>): Waiting;

  /** Sends what asks for so many answers; they are waited for in their order. */
  protected send(message: string | Buffer, answers: number): Promise<Answer>[] {
    const expected = Array.from({ length: answers }, () => this.#expect());
    this.#socket.write(message);
    return expected;
  }

  protected fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.asked.splice(0)) reject(this.#failure);
    this.#socket.destroy();
  }

  /** @param farewell What the server is told first. */
  protected async end(farewell: Buffer = EMPTY): Promise<void> {
    if (this.#socket.closed) return;
    const closed = new Promise((resolve) => this.#socket.once('close', resolve));
    this.#socket.end(farewell);
    this.#socket.destroySoon();
    await closed;
  }

  #expect(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) reject(this.#failure);
      else this.asked.push(this.waiting({ resolve, reject }));
    });
  }
}
