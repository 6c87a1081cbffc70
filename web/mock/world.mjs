// A made-up fleet behind the mock: every number is a function of the meter's index and the time.  For development only.

export const ZONE = 'Asia/Jakarta';
export const PERIOD_S = 900;
const OFFSET_S = 7 * 3600;
export const COUNT = Number(process.env.MOCK_METERS ?? 100_000);

export const nowS = () => Math.floor(Date.now() / 1000);
export const dayStart = (s) => Math.floor((s + OFFSET_S) / 86_400) * 86_400 - OFFSET_S;
export const dayName = (s) => new Date((s + OFFSET_S) * 1000).toISOString().slice(0, 10);

/** A number in 0..1 that depends on its arguments only. */
export function noise(...seeds) {
  let h = 2166136261;
  for (const seed of seeds) {
    h = Math.imul(h ^ (seed | 0), 16777619);
    h ^= h >>> 13;
    h = Math.imul(h, 1540483477);
    h ^= h >>> 15;
  }
  return (h >>> 0) / 4294967296;
}

const FIRST = [
  'Sari',
  'Budi',
  'Dewi',
  'Agus',
  'Putri',
  'Wayan',
  'Siti',
  'Rudi',
  'Maya',
  'Joko',
  'Ratna',
  'Hendra',
  'Lestari',
  'Bayu',
];
const LAST = [
  'Wijaya',
  'Santoso',
  'Pratama',
  'Hidayat',
  'Kusuma',
  'Lubis',
  'Siregar',
  'Nugroho',
  'Saputra',
  'Halim',
  'Tanjung',
];
const SITES = [
  'Menara Anggrek, Jakarta',
  'Kawasan Industri Cikarang',
  'Perumahan Melati, Bekasi',
  'Pasar Baru, Bandung',
  'Rusun Kemayoran',
];
export const MODELS = [
  { name: 'single-phase', title: 'Single phase, direct connected', phases: 1, supply_switch: true },
  { name: 'three-phase', title: 'Three phase, direct connected', phases: 3, supply_switch: true },
  { name: 'three-phase-ct', title: 'Three phase, current transformers', phases: 3, supply_switch: false },
];

const pick = (list, x) => list[Math.floor(x * list.length)];
export const serialOf = (i) => `NYA${String(2600000 + i).padStart(8, '0')}`;
const kind = (i) => (i % 11 === 5 ? 2 : i % 5 === 1 ? 1 : 0);
export const modelOf = (i) => MODELS[kind(i)];
export const solar = (i) => i % 4 === 1;
export const ratioOf = (i) => (kind(i) === 2 ? [200, 5] : [1, 1]);

export const customerOf = (i) =>
  kind(i) === 2
    ? `PT ${pick(LAST, noise(i, 1))} ${pick(['Tekstil', 'Plastik', 'Logam', 'Pangan'], noise(i, 2))}`
    : `${pick(FIRST, noise(i, 1))} ${pick(LAST, noise(i, 2))}`;
export const siteOf = (i) =>
  `${pick(SITES, noise(i, 3))}, ${1 + Math.floor(noise(i, 4) * 40)}-${1 + (i % 30)}`;
const never = (i) => i % 997 === 400;
const silent = (i) => i % 83 === 17;

export function heardOf(i, now) {
  if (never(i)) return null;
  return silent(i) ? now - 86_400 * (1 + Math.floor(noise(i, 5) * 6)) : now - Math.floor(noise(i, 6) * 3400);
}

/** Average power over an interval that starts at s; negative is export. */
export function watts(i, s) {
  const hour = ((((s + OFFSET_S) % 86_400) + 86_400) % 86_400) / 3600;
  const scale = [900, 4200, 900][kind(i)] * (0.5 + noise(i, 7));
  const evening = Math.exp(-((hour - 19.5) ** 2) / 6) * 1.5;
  const morning = Math.exp(-((hour - 6.5) ** 2) / 3) * 0.7;
  const work = kind(i) === 2 && hour > 7 && hour < 18 ? 1.6 : 0;
  const spread = 0.6 + 0.8 * noise(i, Math.floor(s / PERIOD_S), 8);
  const sun = solar(i)
    ? Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI)) *
      scale *
      1.9 *
      (0.6 + 0.4 * noise(i, Math.floor(s / 1800), 9))
    : 0;
  return scale * (0.18 + evening + morning + work) * spread - sun;
}

/** Quality of an interval: 0 missing, 1 raw, 5/6 estimated, 7 edited; null while it lies ahead. */
export function qualityOf(i, s, now) {
  if (s + PERIOD_S > now) return null;
  if (now - s < 2700) return 0;
  const day = Math.floor((s + OFFSET_S) / 86_400);
  const slot = Math.floor((s + OFFSET_S) / PERIOD_S) % 96;
  if (noise(i, day, 10) < 0.14 && slot >= 40 && slot < 40 + Math.floor(4 + noise(i, day, 11) * 14)) {
    return now - s > 3 * 86_400 ? 6 : 0;
  }
  if (noise(i, day, 12) < 0.1 && slot >= 60 && slot < 66) return 5;
  return noise(i, Math.floor(s / PERIOD_S), 13) < 0.002 ? 2 : 1;
}

export function interval(i, s, now) {
  const quality = qualityOf(i, s, now);
  if (quality === null || quality === 0) return { imp: null, exp: null, quality: 0 };
  const w = watts(i, s);
  return {
    imp: Math.max(0, Math.round((w * PERIOD_S) / 3600)),
    exp: Math.max(0, Math.round((-w * PERIOD_S) / 3600)),
    quality,
  };
}

const registerOf = (i) => Math.floor(2_000_000 + noise(i, 14) * 9e6 * 1);

export function rowOf(i, now, state) {
  const heard = heardOf(i, now);
  return {
    id: i,
    serial: serialOf(i),
    customer: customerOf(i),
    site: siteOf(i),
    model: modelOf(i).name,
    switch_state: state(i),
    last_heard_s: heard,
    p_w: heard === null ? null : Math.round(watts(i, now)),
    import_wh: heard === null ? null : registerOf(i),
    missing:
      heard === null
        ? 0
        : silent(i)
          ? Math.floor((now - heard) / PERIOD_S)
          : Math.floor(noise(i, 15) * 1.06 * 12 * (noise(i, 16) < 0.12)),
  };
}

export function liveOf(i, now) {
  if (heardOf(i, now) === null) return null;
  const p = Math.round(watts(i, now));
  const phases = modelOf(i).phases;
  const values = {
    p_w: p,
    q_var: Math.round(Math.abs(p) * 0.24),
    s_va: Math.round(Math.abs(p) * 1.03),
    f_hz: 4998 + Math.floor(noise(i, now) * 5),
    pf: p < 0 ? -971 : 971,
  };
  for (let n = 1; n <= phases; n += 1) {
    const share = phases === 1 ? 1 : [0.38, 0.33, 0.29][n - 1];
    const u = 2280 + Math.floor(noise(i, n, now) * 60);
    values[`u${n}_v`] = u;
    values[`p${n}_w`] = Math.round(p * share);
    values[`i${n}_a`] = Math.round(((Math.abs(p) * share * 1.03) / u) * 10_000);
  }
  return { at_s: now - 4, values };
}

export function registersOf(i, now) {
  const at_s = heardOf(i, now);
  if (at_s === null) return [];
  const total = registerOf(i);
  const t2 = Math.floor(total * 0.31);
  const out = solar(i) ? Math.floor(total * 0.4) : 0;
  const rows = [
    ['import_wh', total],
    ['import_wh_t1', total - t2],
    ['import_wh_t2', t2],
    ['export_wh', out],
    ['export_wh_t1', out],
    ['export_wh_t2', 0],
    ['q1_varh', Math.floor(total * 0.21)],
    ['q2_varh', 0],
    ['q3_varh', 0],
    ['q4_varh', Math.floor(total * 0.02)],
    ['import_vah', Math.floor(total * 1.03)],
  ];
  return rows.map(([name, value]) => ({ name, value, at_s }));
}
