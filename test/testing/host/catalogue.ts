/** A service that answers `/items/:id` from a replica of its own, or says why it does not. */
import fastify, { type FastifyInstance } from 'fastify';
import {
  createReplica,
  ReplichartError,
  type HostPorts,
  type Replica,
  type ReplicaOptions,
} from 'replichart';
import { healthOf, reactionTo, type Health } from './health.ts';

export class Catalogue {
  readonly app: FastifyInstance = fastify();
  readonly #options: ReplicaOptions;
  readonly #ports: HostPorts;
  #replica: Replica | null = null;
  /** Why the replica could not be started. */
  #refusal: string | null = null;
  #starting: Promise<void>;

  /** Answers at once; what it answers depends on how far the replica is. */
  constructor(options: ReplicaOptions, ports: HostPorts = {}) {
    this.#options = options;
    this.#ports = ports;
    this.app.get('/health', () => this.health());
    this.app.get<{ Params: { id: string } }>('/items/:id', async ({ params }, reply) => {
      const health = this.health();
      if (this.#replica === null || health.word !== 'serving') return reply.code(503).send(health);
      const item = await this.#replica.read((view) => view.get('items', params.id));
      if (item === null) return reply.code(404).send({ word: health.word, reason: 'there is no such item' });
      return reply.type('application/json').send(item.document);
    });
    this.app.setErrorHandler((error, _request, reply) => {
      return reply.code(503).send({ word: this.health().word, reason: reasonOf(error) });
    });
    this.#starting = this.#start();
  }

  health(): Health {
    if (this.#replica !== null) return healthOf(this.#replica.snapshot());
    if (this.#refusal !== null) return { word: 'halted', reason: this.#refusal };
    return { word: 'starting', reason: 'the replica is not ready yet' };
  }

  /** Resolves when the replica was started, or could not be. */
  started(): Promise<void> {
    return this.#starting;
  }

  /** Looks after the replica; whoever runs the service calls it now and then. Says whether there was anything to do. */
  async lookAfter(): Promise<boolean> {
    if (this.#replica === null) return false;
    const reaction = reactionTo(this.#replica.snapshot());
    if (reaction === 'attach') this.#replica.attach();
    if (reaction === 'start again') await (this.#starting = this.#start());
    return reaction !== 'nothing';
  }

  /** Stops the replica; the service goes on, and says so. */
  async pause(): Promise<void> {
    await this.#starting;
    await this.#replica?.stop();
  }

  async close(): Promise<void> {
    await this.pause();
    await this.app.close();
  }

  async #start(): Promise<void> {
    this.#replica = null;
    this.#refusal = null;
    try {
      this.#replica = await createReplica(this.#options, this.#ports);
    } catch (error) {
      this.#refusal = reasonOf(error);
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof ReplichartError ? `${error.code}: ${error.message}` : `INTERNAL: ${String(error)}`;
}
