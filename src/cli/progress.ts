/** One line on a terminal that is written over; nothing where standard error is no terminal. */
export interface ProgressLine {
  show(text: string): void;
  /** Takes the line away, so that what follows stands on a clean one. */
  clear(): void;
}

const CLEAR_LINE = '\r\u001b[K';

export function progressLine(stream: NodeJS.WriteStream = process.stderr): ProgressLine {
  if (!stream.isTTY) return { show: () => undefined, clear: () => undefined };
  return {
    show: (text) => void stream.write(`${CLEAR_LINE}${text}`),
    clear: () => void stream.write(CLEAR_LINE),
  };
}
