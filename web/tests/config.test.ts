import { expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { id } from '../src/i18n/id';
import { activation, draftFrom, draftOf, freeNumber, KINDS, settingOf, tableOf } from '../src/lib/config';
import { channelsSaid, months, runs, said } from '../src/lib/config_words';
import type { CalendarTable, Choices, Setting, Values } from '../src/lib/config_types';

const ZONE = 'Asia/Jakarta';
const ESTATE: CalendarTable = {
  name: 'estate',
  offset: '+07:00',
  days: { '1': { '00:00': 3, '06:00': 1 }, '3': { '00:00': 4 } },
  weeks: { all: [1, 1, 1, 1, 1, 3, 3] },
  seasons: [{ name: 'year', start: '01-01', week: 'all' }],
  special_days: [{ index: 1, date: '*-08-17', day: 3 }],
};
const CHOICES: Choices = { calendars: [ESTATE], contracted_va: [900, 1300], channels: [['import']] };
const VALUES: Values = {
  calendar: { name: 'estate', activate_s: 1_790_000_000, table: ESTATE },
  limiter: {
    limits: [{ quantity: 'power', normal: 1300, emergency: null, over_s: 60, under_s: 10 }],
    reclose_delay_s: 60,
    recloses_per_hour: 3,
    recloses_per_day: 6,
  },
  billing: { day: 0, hour: 23 },
  credit: { warnings: [5000, 1000], emergency: { limit: 2000, threshold: 0, button: true } },
  reporting: { report_s: 900, live_s: 3600, channels: ['import', 'export'], parity: false },
  zone: { offset: '+08:00' },
};
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

test('a calendar reads back from its rows as it was', () => {
  expect(tableOf(draftOf(ESTATE))).toEqual(ESTATE);
  expect(freeNumber(draftOf(ESTATE))).toBe(2);
});

test.each(KINDS)('the form of %s says what is wanted now, and orders the same again', (kind) => {
  const ordered = settingOf(kind, draftFrom(CHOICES, VALUES), '2026-11-25', ZONE);
  if (kind === 'calendar') {
    expect(ordered).toEqual({ kind, table: ESTATE, activate: '2026-11-25T17:00:00.000Z' });
  } else expect(ordered).toEqual({ kind, ...VALUES[kind] });
});

test('where nothing is wanted the form starts with what most meters have', () => {
  const draft = draftFrom(CHOICES, {});
  expect(draft.calendar.name).toBe('estate');
  expect(draft.limiter.limits.map(({ normal }) => normal)).toEqual([1300]);
  expect(settingOf('credit', draft, '2026-11-25', ZONE)).toEqual({
    kind: 'credit',
    warnings: [5000, 1000],
    emergency: null,
  });
  expect(() => draftFrom({ ...CHOICES, calendars: [] }, {})).toThrow(RangeError);
});

test('a calendar takes over at once, tomorrow, on the first, or at an instant of the site', () => {
  const draft = draftFrom(CHOICES, {});
  const at = (when: typeof draft.when, text = ''): string | null | undefined =>
    activation({ ...draft, when, at: text }, '2026-12-31', ZONE);
  expect(at('now')).toBeNull();
  expect(at('tomorrow')).toBe('2026-12-31T17:00:00.000Z');
  expect(at('month')).toBe('2026-12-31T17:00:00.000Z');
  expect(at('at', '2027-02-01T06:30')).toBe('2027-01-31T23:30:00.000Z');
  expect(at('at')).toBeUndefined();
});

test('a field that is not filled in orders nothing', () => {
  const draft = draftFrom(CHOICES, VALUES);
  draft.warnings = '5000, many';
  draft.limiter.limits = VALUES.limiter.limits.map((limit) => ({ ...limit, normal: 0 }));
  draft.when = 'at';
  for (const kind of ['credit', 'limiter', 'calendar'] as const)
    expect(settingOf(kind, draft, '2026-11-25', ZONE), kind).toBeNull();
});

test.each([
  ['limiter', 'Power 1,300 W', 'Daya 1.300 W'],
  ['billing', 'last day of the month, 23:00', 'hari terakhir bulan, pukul 23.00'],
  [
    'credit',
    'warns at 5,000, 1,000; emergency credit 2,000',
    'memperingatkan pada 5.000, 1.000; kredit darurat 2.000',
  ],
  [
    'reporting',
    'every 15 min, live values every 60 min; import and export; without parity',
    'setiap 15 mnt, nilai langsung setiap 60 mnt; impor dan ekspor; tanpa paritas',
  ],
  ['zone', 'UTC+08:00', 'UTC+08:00'],
] as const)('%s is said in both languages', (kind, english, indonesian) => {
  expect(plain(said(kind, VALUES[kind], en.configuration, ZONE, 'en'))).toBe(english);
  expect(plain(said(kind, VALUES[kind], id.configuration, ZONE, 'id'))).toBe(indonesian);
});

test('a calendar is said with the instant from which it holds, and channels that have no name by theirs', () => {
  expect(said('calendar', VALUES.calendar, en.configuration, ZONE, 'en')).toMatch(/^estate · from /);
  expect(said('calendar', { ...VALUES.calendar, activate_s: null }, en.configuration, ZONE, 'en')).toBe(
    'estate · at once',
  );
  expect(channelsSaid(['import', 'q1', 'q2'], en.configuration)).toBe('import, q1, q2');
});

test('every state of a setting has a word in both languages', () => {
  const states: Record<Setting['state'], true> = {
    unmanaged: true,
    in_step: true,
    sending: true,
    refused: true,
    drift: true,
  };
  for (const words of [en, id])
    expect(Object.keys(words.configuration.states).sort()).toEqual(Object.keys(states).sort());
});

test('a year is shown by month, a day by its runs', () => {
  const year = { first: '2026-11-29', days: [1, 1, 2, 1], profiles: [] };
  expect(months(year)).toEqual([
    {
      month: '2026-11',
      days: [
        { date: '2026-11-29', profile: 1 },
        { date: '2026-11-30', profile: 1 },
      ],
    },
    {
      month: '2026-12',
      days: [
        { date: '2026-12-01', profile: 2 },
        { date: '2026-12-02', profile: 1 },
      ],
    },
  ]);
  expect(
    runs([
      ['00:00', 1],
      ['17:00', 2],
      ['22:30', 1],
    ]),
  ).toEqual([
    { at: '00:00', minutes: 1020, rate: 1 },
    { at: '17:00', minutes: 330, rate: 2 },
    { at: '22:30', minutes: 90, rate: 1 },
  ]);
});
