import { expect, test } from 'vitest';
import {
  ago,
  clockTime,
  dateRange,
  dateTime,
  duration,
  monthName,
  span,
  time,
  zoneName,
} from '../src/lib/time';
import { addDays, addMonths, dayStart, isDay, localDay, localTime, weekStart } from '../src/lib/zone';

const at = (iso: string): number => Date.parse(iso) / 1000;
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

test('a Jakarta day begins at 17:00 UTC', () => {
  expect(dayStart('2026-11-24', 'Asia/Jakarta')).toBe(at('2026-11-23T17:00:00Z'));
});

test.each([
  ['Europe/Berlin', '2026-03-29', 23],
  ['Europe/Berlin', '2026-10-25', 25],
  ['Australia/Lord_Howe', '2026-04-05', 24.5],
  ['Asia/Kathmandu', '2026-10-25', 24],
  ['Pacific/Kiritimati', '2026-01-01', 24],
  // Midnight is skipped: the day begins at 01:00.
  ['America/Santiago', '2026-09-06', 23],
])('in %s the day %s has %d hours', (zone, day, hours) => {
  expect((dayStart(addDays(day, 1), zone) - dayStart(day, zone)) / 3600).toBe(hours);
  expect(localDay(dayStart(day, zone), zone)).toBe(day);
  expect(localDay(dayStart(day, zone) - 1, zone)).toBe(addDays(day, -1));
});

test('local time is what the clock on the wall shows', () => {
  const seen = localTime(at('2026-10-31T17:05:09Z'), 'Asia/Jakarta');
  expect(seen).toEqual({ day: '2026-11-01', hour: 0, minute: 5, second: 9 });
});

test.each(['2026-02-30', '2026-13-01', '2026-1-1', 'today', '', '2026-11-24T00:00'])(
  '%j is refused as a day',
  (day) => {
    expect(() => addDays(day, 1)).toThrow(RangeError);
    expect(isDay(day)).toBe(false);
  },
);

test('an unknown zone is refused', () => {
  expect(() => dayStart('2026-11-24', 'Asia/Nowhere')).toThrow(RangeError);
});

test('months end where they end', () => {
  expect(addMonths('2026-01-31', 1)).toBe('2026-02-28');
  expect(addMonths('2028-01-31', 1)).toBe('2028-02-29');
  expect(addMonths('2026-01-15', -1)).toBe('2025-12-15');
});

test.each([
  ['2026-11-23', '2026-11-23'],
  ['2026-11-29', '2026-11-23'],
  ['1969-12-31', '1969-12-29'],
])('the week of %s begins on Monday %s', (day, monday) => {
  expect(weekStart(day)).toBe(monday);
});

test("times are the site's, with 24 hours and a colon", () => {
  const noon = at('2026-11-24T07:05:09Z');
  expect(time(noon, 'Asia/Jakarta', 'en')).toBe('14:05');
  expect(time(noon, 'Asia/Jakarta', 'id')).toBe('14:05');
  expect(clockTime(noon, 'Asia/Jakarta', 'id')).toBe('14:05:09');
  expect(dateTime(at('2026-11-24T17:00:00Z'), 'Asia/Jakarta', 'id')).toBe('25 Nov 2026 00:00');
});

test.each([
  ['Asia/Jakarta', 'WIB'],
  ['Asia/Makassar', 'WITA'],
  ['Asia/Jayapura', 'WIT'],
  ['UTC', 'UTC'],
])('%s is called %s in both languages', (zone, name) => {
  expect(zoneName(zone, 0, 'id')).toBe(name);
  expect(zoneName(zone, 0, 'en')).toBe(name);
});

test('a month and its days have names', () => {
  expect(monthName('2026-10', 'id')).toBe('Oktober 2026');
  expect(
    plain(dateRange(at('2026-09-30T17:00:00Z'), at('2026-10-31T17:00:00Z'), 'Asia/Jakarta', 'en')),
  ).toMatch(/^1\s?–\s?31 Oct 2026$/);
});

test('what happened is so long ago; what lies ahead is now', () => {
  expect(ago(1000, 1030, 'en')).toBe('now');
  expect(ago(1000, 1000 + 200, 'en')).toBe('3 min ago');
  expect(ago(1000, 1000 + 7300, 'id')).toBe('2 jam lalu');
  expect(ago(2000, 1000, 'id')).toBe('sekarang');
});

test('spans and durations have units', () => {
  expect(plain(span(900, 'en'))).toBe('15 min');
  expect(plain(span(900, 'id'))).toBe('15 mnt');
  expect(plain(span(90, 'en'))).toBe('90 sec');
  expect(plain(duration(754, 'en'))).toBe('12 min');
  expect(plain(duration(3700, 'en'))).toBe('1 hr 1 min');
});

test.each([0, -900, 0.5, NaN])('%d is refused as a span', (seconds) => {
  expect(() => span(seconds, 'en')).toThrow(RangeError);
});
