// What an alarm is called, what its value says, how severities look.  Pure.

import type { Tone } from './commands';
import { asWritten, scaled } from './number';
import type { AlarmFilter, AlarmKind, AlarmRow, Lang, Severity } from './types';

export type AlarmKinds = ReadonlyMap<string, AlarmKind>;

export const SEVERITIES: readonly Severity[] = ['high', 'medium', 'low'];
export const FILTERS: readonly AlarmFilter[] = ['active', 'open', 'all'];
export const TONES: Record<Severity, Tone> = { high: 'bad', medium: 'warn', low: 'busy' };
export const ICONS = { high: 'alarmHigh', medium: 'warn', low: 'alarmLow' } as const;

/** The label of a kind in a language; an unknown kind keeps its name. */
export function alarmName(kind: AlarmKind | undefined, lang: Lang, otherwise = ''): string {
  if (!kind) return otherwise;
  return lang === 'id' ? kind.label_id : kind.label_en;
}

/** The value with its unit; empty where the kind has none, or nothing was said. */
export function alarmValue(value: number | null, kind: AlarmKind | undefined, lang: Lang): string {
  if (value === null || !kind || kind.unit === null) return '';
  const number = asWritten(scaled(value, kind.scaler), lang);
  if (kind.unit === '1') return number;
  return `${number}\u00a0${kind.unit === 'C' ? '°C' : kind.unit}`;
}

/** Seconds that it was on, so far where it still is. */
export function lasted(alarm: AlarmRow, now_s: number): number {
  return Math.max((alarm.cleared_s ?? now_s) - alarm.raised_s, 0);
}

/** One of a set of words of an address, or what stands for none. */
export function oneOf<W extends string>(words: readonly W[], said: string | null): W | '' {
  return words.find((word) => word === said) ?? '';
}
