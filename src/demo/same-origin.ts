import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Why a request is not answered; `null`: it is. The demonstration asks for no token, so it answers only who names it by
 * the address that it listens on (a name that somebody else's DNS points here is not that), and changes something only
 * for its own page or for a program that is no browser.
 */
export function refusalOfRequest(
  method: string,
  headers: IncomingHttpHeaders,
  { address, family, port }: AddressInfo,
): string | null {
  const host = hostOf(`http://${headers.host ?? ''}`);
  const names = ['localhost', family === 'IPv6' ? `[${address}]` : address];
  if (host === null || !names.some((name) => host === hostOf(`http://${name}:${port}`)))
    return `the Host header is ${JSON.stringify(headers.host ?? null)}: it must name the address that is listened on: ${names.map((name) => `${name}:${port}`).join(' or ')}`;
  if (method === 'GET' || method === 'HEAD') return null;
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${headers.host}`)
    return `a page of ${origin} may change nothing here`;
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return `a ${String(site)} page may change nothing here`;
  return null;
}

/** As a URL has it: without a port that is the default one. */
function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null;
}
