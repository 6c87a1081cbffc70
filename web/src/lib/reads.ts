// Scheduled reads on the screen: a rhythm from the fields of the form to the text of the API and to words, and values in print.

import type { Ratio } from './ratio';
import type { Lang, Quantity } from './types';
import { joined, live, register } from './units';

export type How = 'every' | 'daily' | 'month-end';

interface Words {
  every: (minutes: string) => string;
  daily: (at: string) => string;
  monthEnd: string;
}

/** The rhythm as the API takes it. */
export function written(how: How, minutes: number, at: string): string {
  if (how === 'every') return `every ${minutes}m`;
  return how === 'daily' ? `daily ${at}` : how;
}

/** The rhythm of a plan in words. */
export function told(rhythm: string, words: Words): string {
  const [kind = '', figure = ''] = rhythm.split(' ');
  if (kind === 'every') return words.every(figure.slice(0, -1));
  return kind === 'daily' ? words.daily(figure) : words.monthEnd;
}

/** A value of any quantity: registers in thousands of their unit, all else as the catalogue says. */
export function printed(value: number, row: Quantity | undefined, lang: Lang, ratio: Ratio): string {
  if (row === undefined) return String(value);
  const energy = /^(W|var|VA)h$/.test(row.unit);
  return joined(energy ? register(value, row.unit, lang, ratio) : live(value, row, lang, ratio));
}
