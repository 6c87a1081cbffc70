// Sites, completeness and one outage of the mock.  For development only.

import * as w from './world.mjs';

const CENTRE = [-6.2, 106.82];
const NAMES = ['Melati', 'Anggrek', 'Kenanga', 'Cempaka', 'Dahlia', 'Mawar', 'Teratai', 'Kamboja'];
const SITES = 32;

const site = (n) => ({
  site: `${NAMES[n % NAMES.length]} ${1 + Math.floor(n / NAMES.length)}`,
  lat: n === 5 ? null : CENTRE[0] + (w.noise(n, 1) - 0.5) * 0.05,
  lon: n === 5 ? null : CENTRE[1] + (w.noise(n, 2) - 0.5) * 0.09,
  meters: 12 + Math.floor(w.noise(n, 3) * 190),
});
const all = Array.from({ length: SITES }, (_, n) => ({ ...site(n), meters_on: site(n).meters }));
/** The feeder that is without power: the sites in the east. */
const dark = all
  .filter(({ lon }) => lon !== null && lon > CENTRE[1] + 0.018)
  .map((each, n) => ({ ...each, meters_on: n % 4 === 3 ? 0 : each.meters }));

function incident() {
  const now = w.nowS();
  const sum = (of) => dark.reduce((found, each) => found + each[of], 0);
  return {
    id: 1,
    alarm: 'power_failed',
    severity: 'high',
    scope: 'feeder',
    place: 'Penyulang Timur 7',
    meters: sum('meters'),
    meters_on: sum('meters_on'),
    first_s: now - 1_240,
    last_s: now - 1_221,
    opened_s: now - 1_230,
    updated_s: now - 300,
    ended_s: null,
  };
}

function member(n) {
  const at = incident().first_s;
  const over = n % 7 === 3;
  return {
    meter_id: n,
    serial: w.serialOf(n),
    site: dark[n % dark.length].site,
    raised_s: at,
    value: null,
    cleared_s: over ? at + 900 : null,
  };
}

function line(name, key, meters, seed, days) {
  const bad = w.noise(seed, 9) < 0.12 ? 0.35 : 0.03;
  const expected = days.map(() => meters * 96);
  const lost = days.map((_, d) => (w.noise(seed, d, 11) < 0.55 ? 0 : w.noise(seed, d, 7) ** 3 * bad));
  const received = expected.map((count, d) => Math.floor(count * (1 - lost[d])));
  const estimated = expected.map((count, d) => Math.floor((count - received[d]) / 3));
  const missing = expected.reduce((sum, count, d) => sum + count - received[d] - estimated[d], 0);
  const silent = bad > 0.1 ? 1 + Math.floor(meters / 40) : 0;
  return { key, name, meters, silent, expected, received, estimated, missing };
}

function table(query) {
  const [from, to] = ['from', 'to'].map((name) => Date.parse(`${query.get(name)}T00:00:00Z`));
  const days = [];
  for (let at = from; at <= to; at += 86_400_000) days.push(new Date(at).toISOString().slice(0, 10));
  const by = query.get('by') ?? 'site';
  const names = {
    site: all.map((each) => [each.site, each.site, each.meters]),
    feeder: ['Penyulang Timur 7', 'Penyulang Barat 2', 'Penyulang Selatan 4', ''].map((name) => [
      name,
      name,
      700,
    ]),
    group: [
      ['Audit 2026', '1', 40],
      ['Rusun', '2', 380],
    ],
    gateway: ['0016c001f0000001', '0016c001f0000002'].map((name) => [name, name, 1400]),
    meter: Array.from({ length: 40 }, (_, n) => [w.serialOf(n), String(n), 1]),
  }[by];
  const lines = names.map(([name, key, meters], n) => line(name, key, meters, n + by.length * 100, days));
  lines.sort((a, b) => b.missing - a.missing);
  return { by, days, lines, total: by === 'meter' ? 2_817 : lines.length };
}

function health(i) {
  const now = w.nowS();
  const off = i % 9 === 4;
  const told = {
    battery_v: 361 - (i % 40),
    capabilities: 31,
    clock_drift_ppb: ((i * 577) % 9000) - 4500,
    clock_error_ms: -((i * 37) % 400),
    downlink_snr_db: 62,
    event_count: 12 + (i % 60),
    join_count: 1 + (i % 3),
    temperature_c: 314,
    uptime_s: 86_400 * 11 + i * 61,
  };
  return {
    clock: {
      error_ms: off ? 4_200 : -700,
      off,
      step_ms: told.clock_error_ms,
      drift_ppb: told.clock_drift_ppb,
      resync_s: off ? now - 3_600 : null,
    },
    lost_events: off ? [7, 9] : [],
    told: Object.entries(told).map(([name, value]) => ({ name, value, at_s: now - 21_000 })),
  };
}

export const routes = [
  ['GET', /^\/meters\/(\d+)\/health$/, ({ match: [, id] }) => health(Number(id))],
  ['GET', /^\/sites$/, () => ({ items: all })],
  ['GET', /^\/completeness$/, ({ query }) => table(query)],
  ['GET', /^\/incidents$/, () => ({ items: [incident()], next: null })],
  [
    'GET',
    /^\/incidents\/1$/,
    () => ({ ...incident(), members: Array.from({ length: 80 }, (_, n) => member(n)), sites: dark }),
  ],
];
