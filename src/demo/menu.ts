import { ACTIONS, ActionRefused, type Actions, type Offer } from './actions/actions.ts';

const INDENT = '       ';
const COLUMNS_MIN = 40;
const COLUMNS_MAX = 110;

export const QUIT = 'q';
export const HELP = '?';

/** The menu: every action with its key, what it does, and where it cannot be done now, why. */
export function menuText(offers: readonly Offer[], columns: number): string {
  const width = Math.max(COLUMNS_MIN, Math.min(columns, COLUMNS_MAX)) - INDENT.length;
  const lines = offers.flatMap(({ key, title, description, reason }) =>
    reason === null
      ? [`  [${key}]  ${title}`, ...wrapped(description, width)]
      : [`   ${key}   ${title}`, ...wrapped(`Not now: ${reason}.`, width)],
  );
  return [
    '',
    ...lines,
    `  [${HELP}]  Show this again`,
    `  [${QUIT}]  End everything, as Ctrl-C does`,
    '',
  ].join('\n');
}

/** One action asked for at the terminal; what came of it is said, and nothing is thrown. */
export async function runByKey(actions: Actions, key: string, say: (text: string) => void): Promise<void> {
  const action = ACTIONS.find((one) => one.key === key || one.id === key);
  if (action === undefined)
    return say(`There is nothing behind ${JSON.stringify(key)}; ${HELP} shows the menu.`);
  try {
    await actions.run(action.id, () => say(`${action.title} …`));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    say(
      error instanceof ActionRefused
        ? `${action.title}: not now: ${message}.`
        : `${action.title}: it did not come to its end: ${message}`,
    );
  }
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(INDENT + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, INDENT + line];
}
