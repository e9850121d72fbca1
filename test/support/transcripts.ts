import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Answer } from './http.ts';

/** One exchange as a transcript shows it. */
export function exchange(method: string, path: string, { status, type, text }: Answer): string {
  return `> ${method} ${path}\n< ${status} ${type}\n${text}`;
}

/**
 * Compares exchanges with the transcript of that name, byte for byte; the prose at its top is left out. With
 * UPDATE_TRANSCRIPTS=1 it is written instead, to be read before it is kept.
 */
export async function expectTranscript(name: string, exchanges: readonly string[]): Promise<void> {
  const file = fileURLToPath(new URL(`../http/transcripts/${name}.txt`, import.meta.url));
  const kept = await readFile(file, 'utf8');
  const start = kept.indexOf('\n\n') + 2;
  const made = `${exchanges.join('\n\n')}\n`;
  if (process.env['UPDATE_TRANSCRIPTS'] === '1') await writeFile(file, kept.slice(0, start) + made);
  expect(made).toBe((await readFile(file, 'utf8')).slice(start));
}
