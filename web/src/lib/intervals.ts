// The intervals of a bill line, day by day in the site's zone.  The days' sums are the line's sum.

import type { LineInterval, Quality } from './types';
import { localDay } from './zone';

export interface BilledDay {
  day: string;
  items: LineInterval[];
  sum_wh: number;
  /** Intervals by quality code, those of the meter's own words (raw, validated) aside. */
  marks: Map<number, number>;
}

/** Codes that need no mark: the meter's own value, as it sent it or validated. */
const PLAIN = new Set(['RAW', 'VALIDATED']);

export function isPlain(quality: Quality | undefined): boolean {
  return quality !== undefined && PLAIN.has(quality.name);
}

export function byDay(
  items: LineInterval[],
  zone: string,
  qualities: ReadonlyMap<number, Quality>,
): BilledDay[] {
  const days: BilledDay[] = [];
  for (const item of items) {
    const day = localDay(item.start_s, zone);
    let last = days.at(-1);
    if (last?.day !== day) days.push((last = { day, items: [], sum_wh: 0, marks: new Map() }));
    last.items.push(item);
    last.sum_wh += item.wh ?? 0;
    if (!isPlain(qualities.get(item.quality))) {
      last.marks.set(item.quality, (last.marks.get(item.quality) ?? 0) + 1);
    }
  }
  return days;
}

/** The top of the scale of all days: every day is drawn on the same. */
export function highest(days: BilledDay[]): number {
  return Math.max(1, ...days.flatMap(({ items }) => items.map(({ wh }) => wh ?? 0)));
}

/** SVG paths of a day's bars in a box of `items.length` x 1.2: plain ones, and marked ones apart. */
export function paths(
  { items }: BilledDay,
  top: number,
  qualities: ReadonlyMap<number, Quality>,
): { plain: string; marked: string } {
  let plain = '';
  let marked = '';
  items.forEach(({ wh, quality }, index) => {
    const known = isPlain(qualities.get(quality));
    const high = wh === null ? 1 : wh / top;
    const bar = `M${index} 1v${-high.toFixed(3)}h0.85V1z`;
    if (known) plain += bar;
    // A tick below the bar as well: a mark is not told by hue alone.
    else marked += `${bar}M${index} 1.2v-0.13h1V1.2z`;
  });
  return { plain, marked };
}
