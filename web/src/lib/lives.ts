// The lives of meters as the screen tells them, and registers as people write them.

import type { Tone } from './commands';
import type { LifeState } from './life_types';
import { localTime } from './zone';

export const LIFE_TONES: Record<LifeState, Tone> = {
  in_stock: 'calm',
  commissioning: 'busy',
  active: 'good',
  suspended: 'warn',
  removed: 'calm',
  replaced: 'calm',
};
export const LIVES = Object.keys(LIFE_TONES) as LifeState[];

const WH_DIGITS = 3;
const WALL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/;

/** "1234.5" or "1234,5" in kWh as whole Wh; null where it is no such number, or finer than a Wh. */
export function whOf(text: string): number | null {
  const match = /^(\d{1,9})(?:[.,](\d{1,3}))?$/.exec(text.trim());
  return match ? Number(`${match[1] ?? ''}${(match[2] ?? '').padEnd(WH_DIGITS, '0')}`) : null;
}

/** Whole Wh as kWh with all its digits, as a field takes it; `whOf` reads it back. */
export function kwhText(wh: number): string {
  const digits = String(wh).padStart(WH_DIGITS + 1, '0');
  return `${digits.slice(0, -WH_DIGITS)}.${digits.slice(-WH_DIGITS)}`;
}

/** What a clock on the site's wall shows, as a field for date and time takes it. */
export function wallText(at_s: number, zone: string): string {
  const { day, hour, minute } = localTime(at_s, zone);
  return `${day}T${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

/** The instant at which that clock shows a text, UTC seconds; null for no such text, or an hour that the zone leaves out. */
export function instantOf(text: string, zone: string): number | null {
  const wall = Date.parse(`${text}:00Z`) / 1000;
  if (!WALL.test(text) || !Number.isInteger(wall)) return null;
  const shown = (at_s: number): number => Date.parse(`${wallText(at_s, zone)}:00Z`) / 1000;
  let at_s = wall;
  for (let n = 0; n < 2; n += 1) at_s -= shown(at_s) - wall;
  return shown(at_s) === wall ? at_s : null;
}

/** A choice with one more in it, or one less. */
export function toggled(chosen: ReadonlySet<number> | null, id: number): ReadonlySet<number> {
  const others = [...(chosen ?? [])].filter((each) => each !== id);
  return new Set(chosen?.has(id) ? others : [...others, id]);
}
