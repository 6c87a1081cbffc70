// Where a reader stood in a long list, so that "back" leads there.  Lives as long as the page, and for one user.

import type { Pages } from './pages.svelte';

interface Place<T> {
  key: string;
  pages: Pages<T>;
  scroll: number;
  left_ms: number;
}

/** After this the rows would be too old to be shown again. */
const FRESH_MS = 5 * 60_000;
const places = new Map<string, Place<unknown>>();

export function leave<T>(list: string, key: string, pages: Pages<T>): void {
  places.set(list, { key, pages, scroll: window.scrollY, left_ms: Date.now() });
}

export function comeBack<T>(list: string, key: string): { pages: Pages<T>; scroll: number } | null {
  const place = places.get(list) as Place<T> | undefined;
  if (place?.key !== key || Date.now() - place.left_ms > FRESH_MS || !place.pages.items.length) return null;
  return { pages: place.pages, scroll: place.scroll };
}
