const DIGITS = 20;

/** `00000000000000000001.flight`: files are numbered in the order in which they were begun. */
export function flightFileName(number: number): string {
  return `${String(number).padStart(DIGITS, '0')}.flight`;
}

/** `null` for a name that no file of the recorder has. */
export function flightFileNumber(name: string): number | null {
  const number = Number(/^(\d{20})\.flight$/.exec(name)?.[1]);
  return Number.isSafeInteger(number) && number >= 1 ? number : null;
}
