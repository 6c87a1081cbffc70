// What a table of completeness shows: shares as shades, sums, and the table as a file.  Pure.

import { row } from './csv';
import type { CompletenessLine, CompletenessTable } from './place_types';
import type { Completeness } from './types';
import { addDays } from './zone';

/** From a share on, the shade; below the last one it is the darkest. */
const SHADES = [1, 0.995, 0.98, 0.95, 0.8];

/** 0 is whole, 5 is bad; null where nothing was expected. */
export function shade(line: CompletenessLine, day: number): number | null {
  const expected = line.expected[day] ?? 0;
  if (!expected) return null;
  const part = (line.received[day] ?? 0) / expected;
  const found = SHADES.findIndex((least) => part >= least);
  return found < 0 ? SHADES.length : found;
}

const sum = (values: number[]): number => values.reduce((all, each) => all + each, 0);

export function totals(line: CompletenessLine): Completeness {
  const [expected, received, estimated] = [sum(line.expected), sum(line.received), sum(line.estimated)];
  return { expected, received, estimated, missing: line.missing };
}

/** The span of so many days that ends with a day, as the API asks for it. */
export function spanOf(today: string, days: number): { from: string; to: string } {
  return { from: addDays(today, 1 - days), to: today };
}

export function completenessCsv(table: CompletenessTable): string {
  const head = [table.by, 'meters', 'silent', 'day_utc', 'expected', 'received', 'estimated', 'missing'];
  const rows = table.lines.flatMap((line) =>
    table.days.map((day, at) => {
      const [expected = 0, received = 0, estimated = 0] = [
        line.expected[at],
        line.received[at],
        line.estimated[at],
      ];
      const missing = expected - received - estimated;
      return row([line.name, line.meters, line.silent, day, expected, received, estimated, missing]);
    }),
  );
  return `${[row(head), ...rows].join('\r\n')}\r\n`;
}
