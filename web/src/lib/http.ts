// Requests to /api/v1: problems as errors, 401 told to whoever listens.  No state, no retry.  What is asked stands in `api.ts`.

const BASE = '/api/v1';

/** What the server answered instead of what was asked (RFC 9457), or that it could not be reached (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly type = 'about:blank',
  ) {
    super(detail || title);
    this.name = 'Problem';
  }
}

let onSignedOut: () => void = () => undefined;

/** Who is told when the server says that the session has ended. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

type Parameters = Record<string, string | number | undefined>;

/** A path below /api/v1 with its query; undefined and empty parameters are left out. */
export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(key, String(value));
  }
  const text = query.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Record<string, unknown>;
    return new Problem(
      response.status,
      text(body['title']) || response.statusText,
      text(body['detail']),
      text(body['type']) || 'about:blank',
    );
  } catch {
    return new Problem(response.status, response.statusText, '');
  }
}

interface Options {
  parameters?: Parameters;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

export async function call<R>(method: string, path: string, options: Options = {}): Promise<R> {
  const init: RequestInit = {
    method,
    credentials: 'same-origin',
    headers: { Accept: 'application/json', ...options.headers },
  };
  if (options.signal) init.signal = options.signal;
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body);
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(address(path, options.parameters), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, 'unreachable', '');
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401 && path !== '/session') onSignedOut();
    throw problem;
  }
  if (response.status === 204) return undefined as R;
  return (await response.json()) as R;
}

export type Id = string | number;
export const part = (id: Id): string => encodeURIComponent(String(id));
