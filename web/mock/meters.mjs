// Fleet and meters of the mock in the shapes of the API.  For development only.

import * as alarms from './alarms.mjs';
import * as commands from './commands.mjs';
import { members } from './groups.mjs';
import { lifeOf } from './lives.mjs';
import { isLost } from './lorawan.mjs';
import * as w from './world.mjs';

const EVENTS = [
  [1, 'Power restored', 754],
  [4, 'Clock set', 312],
  [2, 'Switch opened', 3],
  [3, 'Switch closed', 4],
];
export const event = (n, now) => {
  const [code, text, detail] = EVENTS[n % 4];
  return { at_s: now - 400 - n * n * 2100, code, text, detail };
};

export const switches = new Map();
const stateOf = (i) =>
  switches.get(i) ??
  (w.modelOf(i).supply_switch
    ? w.heardOf(i, w.nowS()) === null
      ? 'unknown'
      : i % 41 === 7
        ? 'open'
        : 'closed'
    : 'none');

export function fleet() {
  const now = w.nowS();
  const start = w.dayStart(now);
  const due = Math.floor((now - start) / w.PERIOD_S);
  const days = [];
  for (let n = 34; n >= 0; n -= 1) {
    const at = start - n * 86_400;
    const expected = w.COUNT * (n ? 96 : due);
    const lost = n === 12 ? 0.061 : n === 20 ? 0.034 : 0.002 + 0.008 * w.noise(n, 3);
    const missing = Math.round(expected * lost * (n > 3 ? 0.1 : 0.6));
    const estimated = Math.round(expected * lost) - missing;
    days.push({
      day: w.dayName(at),
      expected,
      received: expected - missing - estimated,
      estimated,
      missing,
      import_wh: Math.round(w.COUNT * 11_200 * (0.9 + 0.2 * w.noise(n, 5))),
      export_wh: Math.round(w.COUNT * 1700 * w.noise(n, 6)),
    });
  }
  const imp = [];
  const exp = [];
  for (let s = start; s < start + 86_400; s += w.PERIOD_S) {
    let a = 0;
    let b = 0;
    for (let i = 0; i < 60; i += 1) {
      const p = (w.watts(i, s) * w.PERIOD_S) / 3600;
      if (p > 0) a += p;
      else b -= p;
    }
    const there = s + w.PERIOD_S * 2 < now;
    imp.push(there ? Math.round((a * w.COUNT) / 60) : null);
    exp.push(there ? Math.round((b * w.COUNT) / 60) : null);
  }
  const sum = (list) => list.reduce((total, each) => total + (each ?? 0), 0);
  const today = days.at(-1);
  return {
    now_s: now,
    zone: w.ZONE,
    meters: {
      total: w.COUNT,
      heard: w.COUNT - Math.ceil(w.COUNT / 83) - Math.ceil(w.COUNT / 997),
      silent: Math.ceil(w.COUNT / 83),
      never: Math.ceil(w.COUNT / 997),
      needs_readmission: Math.ceil(w.COUNT / 47),
    },
    energy_today: { import_wh: sum(imp), export_wh: sum(exp) },
    today: {
      expected: today.expected,
      received: today.received,
      estimated: today.estimated,
      missing: today.missing,
    },
    days,
    profile_today: { start_s: start, period_s: w.PERIOD_S, import_wh: imp, export_wh: exp },
    gateways: [
      { eui: 'b827ebfffe5a1c02', last_seen_s: now - 4, frames: 1_284_223 },
      { eui: 'b827ebfffe5a1c17', last_seen_s: now - 11, frames: 1_190_870 },
      { eui: '0016c001ff10d3a4', last_seen_s: now - 5400, frames: 803_112 },
    ],
    commands_open: commands.open(),
    alarms: alarms.counts(),
    events: Array.from({ length: 14 }, (_, n) => ({
      meter_id: n * 7 + 1,
      serial: w.serialOf(n * 7 + 1),
      ...event(n, now),
    })),
  };
}

export function meter(i) {
  const now = w.nowS();
  const heard = w.heardOf(i, now);
  const { missing } = w.rowOf(i, now, stateOf);
  return {
    id: i,
    serial: w.serialOf(i),
    customer: w.customerOf(i),
    site: w.siteOf(i),
    zone: w.ZONE,
    model: w.modelOf(i),
    dev_eui: `70b3d57ed0${(0x60000 + i).toString(16).padStart(6, '0')}`,
    tariff: w.modelOf(i).supply_switch ? 'R-1/TR 1300 VA' : 'I-3/TM',
    ct_ratio: w.ratioOf(i),
    period_s: w.PERIOD_S,
    installed_s: now - 400 * 86_400,
    last_heard_s: heard,
    radio: heard === null ? null : { data_rate: 'SF8BW125', rssi_dbm: -97, snr_db: 6.2, gateways: 2 },
    live: w.liveOf(i, now),
    registers: w.registersOf(i, now),
    switch: { state: stateOf(i), at_s: heard },
    alarms: alarms.ofMeter(i),
    missing,
    complete_to_s: heard === null ? null : heard - (heard % 900),
    needs_readmission: isLost(i),
  };
}

export function meters(query) {
  const words = (query.get('search') ?? '').toLowerCase();
  const limit = Math.min(Number(query.get('limit') ?? 100), 500);
  const first = query.has('after') ? Number(query.get('after')) + 1 : 0;
  const now = w.nowS();
  const items = [];
  let total = 0;
  const group = query.has('group') ? new Set(members({ group: query.get('group') })) : null;
  const life = query.get('life');
  for (let i = 0; i < w.COUNT; i += 1) {
    if (words && !`${w.serialOf(i)} ${w.customerOf(i)} ${w.siteOf(i)}`.toLowerCase().includes(words))
      continue;
    if (query.get('needs_readmission') === 'true' && !isLost(i)) continue;
    if ((group && !group.has(i)) || (life && life !== lifeOf(i))) continue;
    total += 1;
    if (i >= first && items.length <= limit)
      items.push({ ...w.rowOf(i, now, stateOf), needs_readmission: isLost(i), life: lifeOf(i) });
  }
  const more = items.length > limit;
  return { items: items.slice(0, limit), next: more ? String(items[limit - 1].id) : null, total };
}
