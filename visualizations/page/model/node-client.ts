/** An answer of one endpoint, or what it said instead. */
export type Answer<Data> =
  | { readonly kind: 'data'; readonly data: Data }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string };

interface Problem {
  readonly error?: { readonly code?: string; readonly message?: string };
}

export type Asker = (path: string, signal: AbortSignal) => Promise<Response>;

/** Asks a node; its token, where it has one, goes into a header and nowhere else. Nothing is asked of it but to tell. */
export function askerOf(base: string, token: string | null): Asker {
  return (path, signal) =>
    fetch(new URL(path, base), {
      signal,
      cache: 'no-store',
      credentials: 'omit',
      ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
    });
}

/** @throws TypeError where nobody answers, or not to this page */
export async function answerOf<Data>(ask: Asker, path: string, signal: AbortSignal): Promise<Answer<Data>> {
  const response = await ask(path, signal);
  if (response.ok) return { kind: 'data', data: ((await response.json()) as { data: Data }).data };
  return refusalOf(response);
}

export async function refusalOf(response: Response): Promise<Extract<Answer<never>, { kind: 'refused' }>> {
  const { status } = response;
  const text = await response.text();
  const { code = `HTTP ${status}`, message = 'it gave no reason' } = problemIn(text).error ?? {};
  return { kind: 'refused', status, code, message };
}

/** Something between page and node may answer in its place, with a text of its own. */
function problemIn(text: string): Problem {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
