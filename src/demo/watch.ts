import { Actions } from './actions/actions.ts';
import { titleOf, type Fleet } from './fleet.ts';
import { readKeys } from './keys.ts';
import { HELP, menuText, QUIT, runByKey } from './menu.ts';
import { serveDemo, type DemoServer } from './server.ts';
import { SteadyWorkload } from './steady-workload.ts';

const COLUMNS_DEFAULT = 80;

/** How a demonstration is watched. */
export interface Watching {
  /** HOST:PORT of a loopback address. */
  readonly listen: string;
  /** Where the menu and what came of actions go. */
  readonly say: (text: string) => void;
}

/** A demonstration that is watched: a page of its nodes from the beginning, and actions once everything is proved. */
export class Watch {
  readonly #fleet: Fleet;
  readonly #say: Watching['say'];
  readonly #workload: SteadyWorkload;
  readonly #actions: Actions;
  readonly #server: DemoServer;

  private constructor(
    fleet: Fleet,
    say: Watching['say'],
    { workload, actions, server }: { workload: SteadyWorkload; actions: Actions; server: DemoServer },
  ) {
    this.#fleet = fleet;
    this.#say = say;
    this.#workload = workload;
    this.#actions = actions;
    this.#server = server;
  }

  /** Serves the page before there is a node, so that an address in use is known first. @throws ReplichartError `LISTEN_FAILED` */
  static async open(fleet: Fleet, { listen, say }: Watching): Promise<Watch> {
    const workload = new SteadyWorkload(fleet, say);
    const actions = new Actions({ fleet, workload }, (title, done) => say(`${title}:\n  ${done}`));
    const server = await serveDemo(fleet, actions, listen);
    say(`A page of all nodes is at ${server.url}`);
    return new Watch(fleet, say, { workload, actions, server });
  }

  /**
   * Makes a few commits a second, and does to the nodes what is asked for, until somebody ends it or `ended` says so. The
   * nodes have been asked to stop then, unless an action was under way.
   */
  async run(ended: AbortSignal): Promise<void> {
    try {
      await this.#workload.start();
      this.#actions.allow();
      await this.#untilQuit(ended);
    } finally {
      // What an action waits for will not come: it ends by itself when its nodes are gone.
      if (this.#actions.isBusy) await this.#fleet.processes.kill();
      await this.close();
    }
    if (!this.#fleet.processes.isEnded) await this.#stopNodes();
  }

  /** Ends everything but the nodes. Safe to call twice. */
  async close(): Promise<void> {
    await Promise.all([this.#actions.ended(), this.#workload.stop(), this.#server.close()]);
  }

  async #untilQuit(ended: AbortSignal): Promise<void> {
    let quit: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => (quit = resolve));
    ended.addEventListener('abort', quit, { once: true });
    if (ended.aborted) quit();
    const onKey = async (key: string) => {
      if (key === QUIT) quit();
      else if (key === HELP) await this.#showMenu();
      else if (key.trim() !== '') await runByKey(this.#actions, key, this.#say);
    };
    // Keys are taken from before the menu is shown: whoever sees it can use it.
    const keys = readKeys(process.stdin, onKey, quit);
    try {
      this.#say(addresses(this.#fleet, this.#server.url));
      await this.#showMenu();
      await asked;
    } finally {
      keys.close();
    }
  }

  async #showMenu(): Promise<void> {
    this.#say(menuText(await this.#actions.offers(), process.stderr.columns || COLUMNS_DEFAULT));
  }

  async #stopNodes(): Promise<void> {
    const exits = Object.entries(await this.#fleet.processes.stop());
    this.#say(`Stopped: ${exits.map(([name, code]) => `${name} ${code}`).join(', ')}.`);
  }
}

function addresses(fleet: Fleet, url: string): string {
  const nodes = fleet.nodes.map((name) => `  ${titleOf(name).padEnd(12)} ${fleet.of(name).url}/`);
  return ['', `The nodes run on. Watch them at ${url}`, '', 'Each node by itself:', ...nodes].join('\n');
}
