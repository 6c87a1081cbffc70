// A load profile put into the bars of a chart.  The sum of the bars is the sum of the intervals, whatever the bars are.

import type { Profile, Quality, Series } from './types';
import { addDays, addMonths, dayStart, localDay, monthStart, weekStart } from './zone';

export type Range = 'day' | 'week' | 'month';
export const RANGES: readonly Range[] = ['day', 'week', 'month'];

/** So long may an interval be on its way (an hourly telegram, one repetition) before a blank is called missing. */
const AWAITED_S = 2 * 3600;
const MISSING = 0;

/** One bar.  An energy is null where no interval of the bar is known; `estimated_*` is the part of it that was not measured. */
export interface Bar {
  start_s: number;
  end_s: number;
  import_wh: number | null;
  export_wh: number | null;
  estimated_import_wh: number;
  estimated_export_wh: number;
  /** Intervals: measured + estimated + missing + awaited = all that the bar spans. */
  measured: number;
  estimated: number;
  missing: number;
  awaited: number;
  qualities: number[];
}

export type Totals = Omit<Bar, 'qualities'>;

/** The local days that a range shows, and the instants at their ends. */
export interface Span {
  first: string;
  from_s: number;
  to_s: number;
}

/** The day, week (from Monday) or month that `day` lies in. */
export function spanOf(range: Range, day: string, zone: string): Span {
  const first = range === 'day' ? day : range === 'week' ? weekStart(day) : monthStart(day);
  const after = shift(range, first, 1);
  return { first, from_s: dayStart(first, zone), to_s: dayStart(after, zone) };
}

export function shift(range: Range, day: string, by: number): string {
  if (range === 'month') return addMonths(monthStart(day), by);
  return addDays(day, range === 'week' ? 7 * by : by);
}

/** The starts of the bars: intervals in a day, hours in a week, local days in a month. */
export function edges(range: Range, span: Span, period_s: number, zone: string): number[] {
  const starts: number[] = [];
  if (range === 'month') {
    for (let day = span.first, at = span.from_s; at < span.to_s; at = dayStart(day, zone)) {
      starts.push(at);
      day = addDays(day, 1);
    }
    return starts;
  }
  const step = range === 'day' ? period_s : Math.max(period_s, 3600);
  for (let at = span.from_s; at < span.to_s; at += step) starts.push(at);
  return starts;
}

function empty(start_s: number, end_s: number): Bar {
  return {
    start_s,
    end_s,
    import_wh: null,
    export_wh: null,
    estimated_import_wh: 0,
    estimated_export_wh: 0,
    measured: 0,
    estimated: 0,
    missing: 0,
    awaited: 0,
    qualities: [],
  };
}

const known = (value: number | null | undefined): value is number => value !== null && value !== undefined;

function lastKnown(series: Series): number {
  return Math.max(
    series.import_wh.findLastIndex((value) => value !== null),
    series.export_wh.findLastIndex((value) => value !== null),
  );
}

/** Put one interval into its bar. */
function add(
  bar: Bar,
  imported: number | null,
  exported: number | null,
  quality: number,
  estimated: boolean,
): void {
  if (known(imported)) bar.import_wh = (bar.import_wh ?? 0) + imported;
  if (known(exported)) bar.export_wh = (bar.export_wh ?? 0) + exported;
  if (estimated) {
    bar.estimated += 1;
    bar.estimated_import_wh += imported ?? 0;
    bar.estimated_export_wh += exported ?? 0;
  } else bar.measured += 1;
  if (!bar.qualities.includes(quality)) bar.qualities.push(quality);
}

/**
 * The bars that begin at `starts` (rising; the last ends at `end_s`).  Intervals outside are left out, so ask the API for
 * exactly the span.  A blank interval is missing, or awaited where it is younger than two hours; one ahead of `now_s` is nothing.
 */
export function bars(
  profile: Profile,
  starts: number[],
  end_s: number,
  now_s: number,
  qualities: ReadonlyMap<number, Quality>,
): Bar[] {
  const made = starts.map((start, index) => empty(start, starts[index + 1] ?? end_s));
  const last = lastKnown(profile);
  let at = 0;
  profile.import_wh.forEach((imported, index) => {
    const start = profile.start_s + index * profile.period_s;
    while (at < made.length && start >= (made[at]?.end_s ?? Infinity)) at += 1;
    const bar = made[at];
    if (!bar || start < bar.start_s) return;
    const exported = profile.export_wh[index] ?? null;
    const quality = profile.quality[index] ?? MISSING;
    if (imported === null && exported === null) {
      if (start + profile.period_s > now_s) return;
      if (index > last && start >= now_s - AWAITED_S) bar.awaited += 1;
      else bar.missing += 1;
    } else add(bar, imported, exported, quality, qualities.get(quality)?.estimated ?? false);
  });
  return made;
}

/** A series without qualities (the fleet's) as bars, one per interval; blanks are nothing. */
export function plainBars(series: Series): Bar[] {
  return series.import_wh.map((imported, index) => {
    const start = series.start_s + index * series.period_s;
    const exported = series.export_wh[index] ?? null;
    const bar = empty(start, start + series.period_s);
    if (known(imported) || known(exported)) add(bar, imported, exported, 1, false);
    return bar;
  });
}

export function totals(made: Bar[], from_s: number, to_s: number): Totals {
  const sum: Totals & { qualities?: number[] } = empty(from_s, to_s);
  delete sum.qualities;
  for (const bar of made) {
    if (bar.import_wh !== null) sum.import_wh = (sum.import_wh ?? 0) + bar.import_wh;
    if (bar.export_wh !== null) sum.export_wh = (sum.export_wh ?? 0) + bar.export_wh;
    sum.estimated_import_wh += bar.estimated_import_wh;
    sum.estimated_export_wh += bar.estimated_export_wh;
    sum.measured += bar.measured;
    sum.estimated += bar.estimated;
    sum.missing += bar.missing;
    sum.awaited += bar.awaited;
  }
  return sum;
}

/** The day to show first: today on the site. */
export function today(now_s: number, zone: string): string {
  return localDay(now_s, zone);
}
