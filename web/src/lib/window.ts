/** The rows of a long list that are worth drawing. */
export interface Visible {
  first: number;
  /** One after the last. */
  end: number;
}

/** Rows that a view of `height` sees at `scroll`, and `spare` more on each side.  All in the same pixels. */
export function visible(scroll: number, height: number, row: number, count: number, spare: number): Visible {
  if (row <= 0) throw new RangeError(`a row has a height: ${row}`);
  const first = Math.max(0, Math.min(count, Math.floor(Math.max(0, scroll) / row) - spare));
  const end = Math.min(count, Math.ceil((Math.max(0, scroll) + Math.max(0, height)) / row) + spare);
  return { first, end: Math.max(first, end) };
}
