// Quantities of the catalogue with their units: Wh registers in kWh, live power with a prefix, all else as the catalogue says.

import { NONE, asWritten, decimal, scaled } from './number';
import { followsCurrent, primary, UNITY, type Ratio } from './ratio';
import type { Lang, Quantity } from './types';

/** A number and its unit apart, so that a table can align the one and dim the other. */
export interface Measured {
  value: string;
  unit: string;
}

const nothing = (unit: string): Measured => ({ value: NONE, unit });
const PREFIXES = ['', 'k', 'M', 'G', 'T'] as const;

/** A register in thousands of its unit, primary, all three decimals: 52 000 Wh is `52.000 kWh`. */
export function register(value: number | null, unit: string, lang: Lang, ratio: Ratio = UNITY): Measured {
  if (value === null) return nothing(`k${unit}`);
  return { value: asWritten(scaled(primary(value, ratio), -3), lang), unit: `k${unit}` };
}

/** A value with the prefix that leaves at most four digits before the point: 1 234 567 Wh is `1,234.6 kWh`. */
export function prefixed(value: number | null, unit: string, lang: Lang, from = 1): Measured {
  if (value === null) return nothing(PREFIXES[from] + unit);
  const size = Math.abs(value);
  let step = from;
  while (step < PREFIXES.length - 1 && size >= 10_000 * 1000 ** step) step += 1;
  const scale = value / 1000 ** step;
  const decimals = step === 0 ? 0 : Math.abs(scale) < 10 ? 3 : Math.abs(scale) < 100 ? 2 : 1;
  return { value: decimal(scale, decimals, lang), unit: `${PREFIXES[step] ?? ''}${unit}` };
}

/** Live power: W below 1 000 W, then kW, MW. */
export function power(value: number | null, unit: string, lang: Lang): Measured {
  if (value === null) return nothing(unit);
  if (Math.abs(value) < 1000) return { value: decimal(value, 0, lang), unit };
  return prefixed(value, unit, lang);
}

/** A live value as its catalogue row says it, every decimal of the row's resolution; primary where a current goes into it. */
export function live(
  value: number | undefined,
  row: Quantity | undefined,
  lang: Lang,
  ratio: Ratio = UNITY,
): Measured {
  if (row === undefined) return nothing('');
  const unit = row.unit === '1' ? '' : row.unit;
  if (value === undefined) return nothing(unit);
  const shown = followsCurrent(unit) ? primary(value, ratio) : value;
  if (row.scaler === 0 && ['W', 'var', 'VA'].includes(unit)) return power(shown, unit, lang);
  return { value: asWritten(scaled(shown, row.scaler), lang), unit };
}

export function joined(measured: Measured): string {
  return measured.unit ? `${measured.value}\u00a0${measured.unit}` : measured.value;
}
