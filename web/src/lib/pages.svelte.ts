// A long list that comes in keyset pages: the next page is asked for when the reader comes near the end.

import type { Problem } from './api';
import { asProblem } from './resource.svelte';
import type { Page } from './types';

type Ask<T> = (after: string | null, signal: AbortSignal) => Promise<Page<T>>;

export class Pages<T> {
  items = $state.raw<T[]>([]);
  total = $state<number | null>(null);
  loading = $state(false);
  problem = $state.raw<Problem | null>(null);
  #next: string | null = null;
  #ask: Ask<T> | null = null;
  #abort: AbortController | null = null;

  get complete(): boolean {
    return this.total !== null && this.#next === null;
  }

  /** A new question: the old rows stay until the first page is there. */
  async open(ask: Ask<T>): Promise<void> {
    this.#ask = ask;
    await this.#page(null, []);
  }

  /** The next page, if there is one and none is on its way. */
  async more(): Promise<void> {
    if (this.loading || this.problem || this.#next === null) return;
    await this.#page(this.#next, this.items);
  }

  async retry(): Promise<void> {
    this.problem = null;
    await this.#page(this.#next, this.#next === null ? [] : this.items);
  }

  close(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  async #page(after: string | null, before: T[]): Promise<void> {
    if (!this.#ask) return;
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.loading = true;
    try {
      const page = await this.#ask(after, abort.signal);
      if (abort.signal.aborted) return;
      this.items = before.length ? [...before, ...page.items] : page.items;
      this.total = page.total;
      this.#next = page.next;
      this.problem = null;
    } catch (error) {
      if (!abort.signal.aborted) this.problem = asProblem(error);
    } finally {
      if (!abort.signal.aborted) this.loading = false;
    }
  }
}
