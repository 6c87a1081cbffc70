// One answer of the server on its way to the screen: loading, there, or failed.  A late answer to an old question is dropped.

import { Problem } from './api';

export class Resource<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  #asked = 0;
  #abort: AbortController | null = null;

  /** Ask; what was there before stays until the answer comes.  Gives whether this answer was taken. */
  async load(ask: (signal: AbortSignal) => Promise<T>): Promise<boolean> {
    const mine = ++this.#asked;
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.loading = true;
    try {
      const value = await ask(abort.signal);
      if (mine !== this.#asked) return false;
      this.value = value;
      this.problem = null;
      return true;
    } catch (error) {
      if (mine === this.#asked) this.problem = asProblem(error);
      return false;
    } finally {
      if (mine === this.#asked) this.loading = false;
    }
  }

  /** Forget, and let no answer in any more. */
  clear(): void {
    this.#asked += 1;
    this.#abort?.abort();
    this.value = null;
    this.problem = null;
    this.loading = false;
  }
}

/** An error that is not the server's is a bug of ours and is not hidden as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}
