import { readFile } from 'node:fs/promises';

/** What Linux counts processor time in, for whoever reads it from /proc. */
const TICK_MILLISECONDS = 10;
const KIBIBYTE = 1024;

/** User and system time of a process so far, all its threads; `null` where the system does not tell it. */
export async function cpuMilliseconds(pid: number | undefined): Promise<number | null> {
  const text = await factsOf(pid, 'stat');
  if (text === null) return null;
  // The name stands in parentheses and may hold anything; user and system time are the 12th and 13th field behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MILLISECONDS;
}

/** The most memory that a process has had resident; `null` where the system does not tell it. */
export function peakRssBytes(pid: number | undefined): Promise<number | null> {
  return statusBytes(pid, 'VmHWM');
}

/** The memory that a process has resident now; `null` where the system does not tell it. */
export function rssBytes(pid: number | undefined): Promise<number | null> {
  return statusBytes(pid, 'VmRSS');
}

async function statusBytes(pid: number | undefined, field: 'VmHWM' | 'VmRSS'): Promise<number | null> {
  const text = await factsOf(pid, 'status');
  const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * KIBIBYTE;
}

async function factsOf(pid: number | undefined, file: 'stat' | 'status'): Promise<string | null> {
  if (process.platform !== 'linux' || pid === undefined) return null;
  return readFile(`/proc/${pid}/${file}`, 'utf8');
}
