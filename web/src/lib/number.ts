// Numbers as people read them.  Scaled integers and money stay exact decimal strings until Intl prints them; never float money.

import type { Lang } from './types';

export const LOCALE: Record<Lang, string> = { en: 'en-GB', id: 'id-ID' };
/** What stands where there is no value. */
export const NONE = '–';
const MINUS = '−';

const DECIMAL = /^-?\d+(\.\d+)?$/;
const formats = new Map<string, Intl.NumberFormat>();

function format(lang: Lang, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = lang + JSON.stringify(options);
  let made = formats.get(key);
  if (!made) formats.set(key, (made = new Intl.NumberFormat(LOCALE[lang], options)));
  return made;
}

function print(formatter: Intl.NumberFormat, value: number | string): string {
  // ES2023 takes decimal strings and keeps every digit.
  return formatter.format(value as Intl.StringNumericLiteral).replace('-', MINUS);
}

/** An integer of the API times 10**scaler as an exact decimal string.  RangeError for what is not a safe integer. */
export function scaled(value: number, scaler: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
  if (!Number.isInteger(scaler) || Math.abs(scaler) > 18) throw new RangeError(`not a scaler: ${scaler}`);
  const sign = value < 0 ? '-' : '';
  const digits = String(Math.abs(value));
  if (scaler >= 0) return digits === '0' ? '0' : sign + digits + '0'.repeat(scaler);
  const padded = digits.padStart(1 - scaler, '0');
  return `${sign}${padded.slice(0, scaler)}.${padded.slice(scaler)}`;
}

/** A number or exact decimal string with a fixed number of decimals.  RangeError for what is neither. */
export function decimal(value: number | string, decimals: number, lang: Lang): string {
  const good = typeof value === 'number' ? Number.isFinite(value) : DECIMAL.test(value);
  if (!good) throw new RangeError(`not a decimal: ${value}`);
  return print(format(lang, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }), value);
}

/** A decimal string with the decimals that it has. */
export function asWritten(value: string, lang: Lang): string {
  return decimal(value, value.split('.')[1]?.length ?? 0, lang);
}

export function integer(value: number, lang: Lang): string {
  return decimal(value, 0, lang);
}

/** Money as the tariff rounded it: every decimal of the string, `Rp 75.124,40`.  RangeError for what is not a decimal. */
export function money(amount: string, currency: string, lang: Lang): string {
  if (!DECIMAL.test(amount)) throw new RangeError(`not an amount: ${amount}`);
  const decimals = amount.split('.')[1]?.length ?? 0;
  const formatter = format(lang, {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
  // A space after the sign in every language: `Rp 75,124.40`.
  const parts = formatter.formatToParts(amount as Intl.StringNumericLiteral);
  return parts
    .map(({ type, value }) => (type === 'currency' ? `${value}\u00a0` : value))
    .join('')
    .replace(/[\u00a0\s]+/g, '\u00a0')
    .replace('-', MINUS);
}

/** An exact rate as a percentage with the decimals that it has: `0.024` -> `2.4 %`.  RangeError for what is not a decimal. */
export function percent(rate: string, lang: Lang): string {
  if (!DECIMAL.test(rate)) throw new RangeError(`not a rate: ${rate}`);
  const [whole = '0', fraction = ''] = rate.split('.');
  const digits = fraction.padEnd(2, '0');
  const moved = `${whole}${digits.slice(0, 2)}`.replace(/^(-?)0+(?=\d)/, '$1');
  const rest = digits.slice(2).replace(/0+$/, '');
  return `${asWritten(rest ? `${moved}.${rest}` : moved, lang)}\u00a0%`;
}

/**
 * A share as a percentage, cut and never rounded up: 99.99 % does not read as 100; more than all is all.  Null where there is
 * nothing to share.  RangeError for what is not a count.
 */
export function share(part: number, whole: number, lang: Lang, decimals = 1): string | null {
  if (!(whole >= 0 && part >= 0)) throw new RangeError(`not a share: ${part} of ${whole}`);
  if (whole === 0) return null;
  const step = 10 ** decimals;
  const cut = Math.min(100, Math.floor(Number(((part / whole) * 100 * step).toFixed(6))) / step);
  return `${decimal(cut, cut === 100 ? 0 : decimals, lang)}\u00a0%`;
}
