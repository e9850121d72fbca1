import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const ARGS = ['--no-sandbox', '--disable-background-networking'];

/** @throws Error where there is none, with how to get one */
export function browserPath(): string {
  const place = process.env['CHROMIUM'] ?? PLACES.find((path) => existsSync(path));
  if (place === undefined)
    throw new Error('no Chromium: `npm run browser` installs it, or CHROMIUM=PATH names one that there is');
  return place;
}

/** A headless browser that is on this machine already; nothing is fetched for it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath(), args: ARGS });
}
