// Current transformers: the API carries what stands at the meter's terminals (secondary), screens show primary.
// Exact: whole numbers times a fraction, cut towards zero and never rounded up.

/** Primary to secondary: 200/5 is `[200, 5]`. */
export type Ratio = readonly [number, number];

export const UNITY: Ratio = [1, 1];

/** Units of quantities that a current goes into. */
const CURRENTS = new Set(['A', 'W', 'var', 'VA', 'Wh', 'varh', 'VAh']);

export function followsCurrent(unit: string): boolean {
  return CURRENTS.has(unit);
}

/** The ratio of a row that may carry one; a direct connected meter has none. */
export function ratioOf(row: { ct_ratio?: Ratio }): Ratio {
  return row.ct_ratio ?? UNITY;
}

/** A whole secondary value as primary.  RangeError for what is not whole, and for a ratio that is none. */
export function primary<V extends number | null>(value: V, [upper, lower]: Ratio): V {
  if (![upper, lower].every((each) => Number.isSafeInteger(each) && each > 0)) {
    throw new RangeError(`not a ratio: ${upper}/${lower}`);
  }
  if (value === null || upper === lower) return value;
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
  return Number((BigInt(value) * BigInt(upper)) / BigInt(lower)) as V;
}
