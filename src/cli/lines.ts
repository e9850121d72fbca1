import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** How much text is gathered before it is written: a system call a line would be most of the work. */
const CHUNK_CHARACTERS = 32 * 1024;

const brokenPipes = new WeakSet<Writable>();
const watched = new WeakSet<Writable>();

/**
 * Writes lines as they come, and takes the next one only when the reader has room for it, so that memory is bounded
 * whatever there is to write. Where the reader goes away (`| head`) it stops taking lines and says `false`. Lines that
 * someone waits for are not gathered: `chunkCharacters` is then 1.
 */
export async function writeLines(
  lines: AsyncIterable<string>,
  stream: Writable = process.stdout,
  chunkCharacters: number = CHUNK_CHARACTERS,
): Promise<boolean> {
  outliveReader(stream);
  let text = '';
  try {
    for await (const line of lines) {
      text += `${line}\n`;
      if (text.length < chunkCharacters) continue;
      const chunk = text;
      text = '';
      if (!(await write(stream, chunk))) return false;
    }
  } finally {
    // What came before an error belongs to the result.
    if (text !== '' && !brokenPipes.has(stream)) await write(stream, text);
  }
  return !brokenPipes.has(stream);
}

async function write(stream: Writable, text: string): Promise<boolean> {
  if (!stream.write(text) && !brokenPipes.has(stream)) await roomIn(stream);
  return !brokenPipes.has(stream);
}

async function roomIn(stream: Writable): Promise<void> {
  try {
    await once(stream, 'drain');
  } catch (error) {
    if (!brokenPipes.has(stream)) throw error;
  }
}

/**
 * Lets a stream go on in vain where its reader goes away (`| head`). The listener stays: a pipe may be found broken after the
 * last line was handed over.
 */
export function outliveReader(stream: Writable): void {
  if (watched.has(stream)) return;
  watched.add(stream);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    brokenPipes.add(stream);
  });
}
