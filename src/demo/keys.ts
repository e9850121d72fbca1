import { createInterface } from 'node:readline';
import type { ReadStream } from 'node:tty';

/** What somebody at the terminal wants: a key, or the end. */
export interface Keys {
  /** Gives no more keys, and leaves the terminal as it was. */
  close(): void;
}

const CONTROL_C = '\u0003';
const CONTROL_D = '\u0004';

/**
 * Hands on what is typed: on a terminal every key at once, elsewhere every line, one after the other. `onEnd` is called
 * when there will be no more: Ctrl-C, Ctrl-D, or the end of the input.
 */
export function readKeys(input: ReadStream, onKey: (key: string) => Promise<void>, onEnd: () => void): Keys {
  return input.isTTY ? keysOfTerminal(input, onKey, onEnd) : keysOfLines(input, onKey, onEnd);
}

function keysOfTerminal(input: ReadStream, onKey: (key: string) => Promise<void>, onEnd: () => void): Keys {
  const onData = (data: Buffer) => {
    const text = data.toString();
    // An arrow or a function key is one sequence, and no key of the menu.
    if (text.startsWith('\u001b')) return;
    for (const key of text) {
      if (key === CONTROL_C || key === CONTROL_D) return onEnd();
      void onKey(key);
    }
  };
  input.setRawMode(true);
  input.on('data', onData);
  input.once('end', onEnd);
  // A terminal that was closed can be neither read nor set back.
  input.on('error', onEnd);
  input.resume();
  return {
    close() {
      input.off('data', onData);
      input.setRawMode(false);
      input.pause();
    },
  };
}

/** One line after the other: what is piped in is done in its order, and the end comes after it. */
function keysOfLines(input: ReadStream, onKey: (key: string) => Promise<void>, onEnd: () => void): Keys {
  const lines = createInterface({ input, crlfDelay: Infinity });
  let isClosed = false;
  const read = async () => {
    for await (const line of lines) {
      if (isClosed) return;
      if (line.trim() !== '') await onKey(line.trim());
    }
    onEnd();
  };
  void read();
  return {
    close() {
      isClosed = true;
      lines.close();
      input.destroy();
    },
  };
}
