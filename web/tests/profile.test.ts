import { describe, expect, test } from 'vitest';
import { bars, edges, plainBars, RANGES, shift, spanOf, totals } from '../src/lib/profile';
import type { Profile, Quality } from '../src/lib/types';

const ZONE = 'Asia/Jakarta';
const PERIOD = 900;
const quality = (code: number, name: string, estimated: boolean): [number, Quality] => [
  code,
  { code, name, label_en: name, label_id: name, estimated },
];
const QUALITIES = new Map([
  quality(0, 'MISSING', false),
  quality(1, 'RAW', false),
  quality(6, 'PROFILE', true),
]);

/** A profile of the span in which every interval is `wh(index)`; null is missing. */
function profile(from_s: number, to_s: number, wh: (index: number) => [number | null, number]): Profile {
  const made: Profile = { start_s: from_s, period_s: PERIOD, import_wh: [], export_wh: [], quality: [] };
  for (let index = 0; from_s + index * PERIOD < to_s; index += 1) {
    const [value, code] = wh(index);
    made.import_wh.push(value);
    made.export_wh.push(value === null ? null : index % 7);
    made.quality.push(code);
  }
  return made;
}

describe('the span of a range', () => {
  test('a week is from Monday to Monday, a month from its first', () => {
    expect(spanOf('week', '2026-11-25', ZONE).first).toBe('2026-11-23');
    expect(spanOf('month', '2026-11-25', ZONE).first).toBe('2026-11-01');
    expect(spanOf('month', '2026-11-25', ZONE).to_s - spanOf('month', '2026-11-25', ZONE).from_s).toBe(
      30 * 86_400,
    );
  });

  test.each(RANGES)('a %s ahead and back is where it was', (range) => {
    const { first } = spanOf(range, '2026-03-31', ZONE);
    expect(shift(range, shift(range, first, 1), -1)).toBe(first);
  });

  test('no month is longer than the API gives', () => {
    for (let month = 1; month <= 12; month += 1) {
      const { from_s, to_s } = spanOf('month', `2026-${String(month).padStart(2, '0')}-15`, 'Europe/Berlin');
      expect(to_s - from_s).toBeLessThanOrEqual(40 * 86_400);
    }
  });
});

describe('the bars of a span', () => {
  const month = spanOf('month', '2026-10-15', 'Europe/Berlin');
  const data = profile(month.from_s, month.to_s, (index) =>
    index % 50 === 3 ? [null, 0] : [index % 311, index % 20 ? 1 : 6],
  );

  test.each(RANGES)('sum to the intervals when they are bars of a %s, through a clock change', (range) => {
    const starts = edges(range, month, PERIOD, 'Europe/Berlin');
    const made = bars(data, starts, month.to_s, month.to_s + 1e6, QUALITIES);
    const sum = totals(made, month.from_s, month.to_s);
    expect(sum.import_wh).toBe(data.import_wh.reduce<number>((total, wh) => total + (wh ?? 0), 0));
    expect(sum.export_wh).toBe(data.export_wh.reduce<number>((total, wh) => total + (wh ?? 0), 0));
    expect(sum.measured + sum.estimated + sum.missing).toBe(data.import_wh.length);
    expect(sum.missing).toBe(data.import_wh.filter((wh) => wh === null).length);
  });

  test('of a month are its local days, 25 hours in October', () => {
    const starts = edges('month', month, PERIOD, 'Europe/Berlin');
    expect(starts).toHaveLength(31);
    expect((starts[25] ?? 0) - (starts[24] ?? 0)).toBe(25 * 3600);
  });

  test('keep the estimated part apart', () => {
    const day = spanOf('day', '2026-11-24', ZONE);
    const made = bars(
      profile(day.from_s, day.to_s, (index) => [100, index === 1 ? 6 : 1]),
      edges('week', { ...day }, PERIOD, ZONE),
      day.to_s,
      day.to_s,
      QUALITIES,
    );
    expect(made[0]).toMatchObject({
      import_wh: 400,
      estimated_import_wh: 100,
      estimated: 1,
      measured: 3,
      qualities: [1, 6],
    });
    expect(made[1]).toMatchObject({ import_wh: 400, estimated_import_wh: 0, estimated: 0 });
  });

  test('tell missing from awaited from what lies ahead', () => {
    const day = spanOf('day', '2026-11-24', ZONE);
    const now = day.from_s + 50 * PERIOD;
    const made = bars(
      profile(day.from_s, day.to_s, (index) => (index < 46 && index !== 10 ? [5, 1] : [null, 0])),
      edges('day', day, PERIOD, ZONE),
      day.to_s,
      now,
      QUALITIES,
    );
    expect(made[10]).toMatchObject({ import_wh: null, missing: 1, awaited: 0 });
    expect(made[47]).toMatchObject({ import_wh: null, missing: 0, awaited: 1 });
    expect(made[60]).toMatchObject({ import_wh: null, missing: 0, awaited: 0 });
    expect(totals(made, day.from_s, day.to_s)).toMatchObject({ measured: 45, missing: 1, awaited: 4 });
  });

  test('do not take a silent day for one that is still awaited', () => {
    const day = spanOf('day', '2026-11-24', ZONE);
    const made = bars(
      profile(day.from_s, day.to_s, () => [null, 0]),
      edges('day', day, PERIOD, ZONE),
      day.to_s,
      day.from_s + 90_000,
      QUALITIES,
    );
    const sum = totals(made, day.from_s, day.to_s);
    expect(sum.import_wh).toBeNull();
    expect(sum.missing).toBe(92);
  });

  test('leave out intervals that lie outside', () => {
    const day = spanOf('day', '2026-11-24', ZONE);
    const wide = profile(day.from_s - 3600, day.to_s + 3600, () => [1, 1]);
    const made = bars(wide, edges('day', day, PERIOD, ZONE), day.to_s, day.to_s + 9999, QUALITIES);
    expect(totals(made, day.from_s, day.to_s).import_wh).toBe(96);
  });
});

test('a fleet profile has one bar per interval and nothing where nothing has come', () => {
  const made = plainBars({ start_s: 0, period_s: PERIOD, import_wh: [5, null], export_wh: [0, null] });
  expect(made.map((bar) => bar.import_wh)).toEqual([5, null]);
  expect(made[1]).toMatchObject({ missing: 0, measured: 0, end_s: 1800 });
});
