// Made-up bills of the mock: one tariff, one line of energy over the month's intervals.  For development only.

import { COUNT, ZONE, PERIOD_S, customerOf, dayName, dayStart, interval, nowS, serialOf } from './world.mjs';

const BILLED = Math.min(COUNT, 2400);

export function months() {
  const made = [];
  const date = new Date(`${dayName(nowS()).slice(0, 7)}-01T00:00:00Z`);
  for (let n = 0; n < 5; n += 1) {
    date.setUTCMonth(date.getUTCMonth() - 1);
    made.push(date.toISOString().slice(0, 7));
  }
  return made;
}

function span(month) {
  const start = Date.parse(`${month}-01T00:00:00+07:00`) / 1000;
  return [
    start,
    dayStart(start + 32 * 86_400 - Number(dayName(start + 32 * 86_400).slice(8)) * 86_400 + 86_400),
  ];
}

function energy(i, month) {
  const [start, end] = span(month);
  const items = [];
  for (let s = start; s < end; s += PERIOD_S) {
    const { imp, quality } = interval(i, s, nowS());
    items.push({ start_s: s, wh: imp ?? 0, quality: quality || 6, version: quality === 1 ? 1 : 2 });
  }
  return items;
}

const sum = (items) => items.reduce((total, { wh }) => total + wh, 0);
const cents = (wh, price) => ((wh * price) / 1000).toFixed(2);

export function rowOf(i, month, items = energy(i, month)) {
  const wh = sum(items);
  const amount = Number(cents(wh, 1444.7));
  return {
    id: `${month}-${i}`,
    meter_id: i,
    serial: serialOf(i),
    customer: customerOf(i),
    month,
    version: i % 17 === 3 ? 2 : 1,
    tariff: 'R-1/TR 1300 VA',
    total: (amount + Math.round(amount * 3) / 100).toFixed(2),
    currency: 'IDR',
    energy_wh: wh,
    estimated_wh: sum(items.filter(({ quality }) => quality >= 5)),
  };
}

export function page(month, after, limit) {
  const first = after === null ? 0 : Number(after) + 1;
  const last = Math.min(BILLED, first + Math.min(limit, 200));
  const items = [];
  for (let i = first; i < last; i += 1) items.push(rowOf(i, month));
  return { items, next: last < BILLED ? String(last - 1) : null, total: BILLED };
}

export function bill(id) {
  const [, month, index] = /^(\d{4}-\d{2})-(\d+)$/.exec(id) ?? [];
  if (!month || Number(index) >= BILLED) return null;
  const i = Number(index);
  const items = energy(i, month);
  const row = rowOf(i, month, items);
  const [start_s, end_s] = span(month);
  const base = cents(row.energy_wh, 1444.7);
  const tax = (Number(row.total) - Number(base)).toFixed(2);
  const peak = items.reduce((most, each) => (each.wh > most.wh ? each : most));
  return {
    ...row,
    start_s,
    end_s,
    zone: ZONE,
    tariff: {
      code: 'pln-r1-1300',
      title: 'Household R-1/TR, 1300 VA',
      title_id: 'Rumah tangga R-1/TR, 1300 VA',
      version: '2022-07-01',
    },
    lines: [
      {
        n: 1,
        code: 'energy',
        label_en: 'Energy',
        label_id: 'Biaya energi',
        quantity: (row.energy_wh / 1000).toFixed(3),
        unit: 'kWh',
        price: '1444.70',
        amount: base,
        has_intervals: true,
      },
      {
        n: 2,
        code: 'minimum',
        label_en: 'Minimum charge (40 h)',
        label_id: 'Rekening minimum (40 jam)',
        quantity: '52.000',
        unit: 'kWh',
        price: '1444.70',
        amount: '0.00',
        less: '75124.40',
        has_intervals: false,
      },
      {
        n: 3,
        code: 'ppj',
        label_en: 'Street lighting tax 3 %',
        label_id: 'Pajak penerangan jalan 3 %',
        quantity: base,
        unit: 'IDR',
        price: '0.03',
        amount: tax,
        has_intervals: false,
      },
    ],
    max_demand: { w: peak.wh * 4, at_s: peak.start_s },
    inputs: Math.round((end_s - start_s) / 86_400) + 1,
  };
}

export function intervals(id) {
  const [, month, index] = /^(\d{4}-\d{2})-(\d+)$/.exec(id) ?? [];
  const items = energy(Number(index), month);
  return { items, sum_wh: sum(items) };
}
