// Calendars of the mock, and what a year of one looks like.  For development only.

import { nowS } from './world.mjs';

const EVERY_DAY = { all: [1, 1, 1, 1, 1, 1, 1] };
const YEAR = [{ name: 'year', start: '01-01', week: 'all' }];
const plain = (name, offset, day) => ({
  name,
  offset,
  days: { 1: day },
  weeks: EVERY_DAY,
  seasons: YEAR,
  special_days: [],
});
const estate = {
  name: 'estate',
  offset: '+07:00',
  days: {
    1: { '00:00': 3, '06:00': 1, '17:00': 2, '22:00': 3 },
    2: { '00:00': 4 },
    3: { '00:00': 3, '06:00': 1, '16:30': 2, '22:30': 3 },
  },
  weeks: { dry: [1, 1, 1, 1, 1, 2, 2], rainy: [3, 3, 3, 3, 3, 2, 2] },
  seasons: [
    { name: 'dry', start: '04-01', week: 'dry' },
    { name: 'rainy', start: '10-01', week: 'rainy' },
  ],
  special_days: [
    { index: 1, date: '*-01-01', day: 2 },
    { index: 2, date: '*-08-17', day: 2 },
  ],
};
export const choices = {
  calendars: [
    estate,
    plain('flat', '+07:00', { '00:00': 1 }),
    plain('pln-wbp', '+07:00', { '00:00': 1, '17:00': 2, '22:00': 1 }),
    plain('pln-wbp-18', '+07:00', { '00:00': 1, '18:00': 2, '22:00': 1 }),
  ],
  contracted_va: [450, 900, 1300, 2200, 3500, 5500],
  channels: [['import'], ['import', 'export'], ['import', 'export', 'q1', 'q2', 'q3', 'q4']],
};

/** 366 days from today; of seasons and week-ends only, as the mock needs no more. */
export function year(table) {
  const today = new Date(nowS() * 1000);
  const days = Array.from({ length: 366 }, (_, n) => {
    const day = new Date(today.getTime() + n * 86_400_000);
    const from = `${String(day.getUTCMonth() + 1).padStart(2, '0')}-${String(day.getUTCDate()).padStart(2, '0')}`;
    const special = table.special_days.find(({ date }) => date === `*-${from}`);
    if (special) return special.day;
    const season = table.seasons.filter(({ start }) => start <= from).at(-1) ?? table.seasons.at(-1);
    return (table.weeks[season.week] ?? [1])[(day.getUTCDay() + 6) % 7];
  });
  const profiles = Object.entries(table.days).map(([number, switches]) => ({
    number: Number(number),
    switches: Object.entries(switches).sort(([a], [b]) => a.localeCompare(b)),
  }));
  return { first: today.toISOString().slice(0, 10), days, profiles };
}
