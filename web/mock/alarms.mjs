// Alarms of the mock: every 19th meter has one, a third of them are over.  For development only.

import { alarms as kinds } from './catalogue.mjs';
import * as w from './world.mjs';

export { routes } from './notify.mjs';

const STEP = 19;
const seen = new Map();
const keys = new Map();

function row(n, now) {
  const i = (n * STEP) % w.COUNT;
  const kind = kinds[(n * 7) % kinds.length];
  const raised = now - 60 - n * 431;
  return {
    id: n + 1,
    meter_id: i,
    serial: w.serialOf(i),
    customer: w.customerOf(i),
    site: w.siteOf(i),
    alarm: kind.name,
    severity: kind.severity,
    raised_s: raised,
    value: n % 5 === 4 || kind.unit === null ? null : 90 + ((n * 13) % 60),
    source: n % 5 === 4 ? 'state' : 'event',
    received_s: raised + 3,
    cleared_s: n % 3 === 2 ? raised + 30 + ((n * 97) % 400) : null,
    acknowledged_s: null,
    acknowledged_by: null,
    note: null,
    ...seen.get(n + 1),
  };
}
const all = () => {
  const now = w.nowS();
  return Array.from({ length: Math.max(1, Math.floor(w.COUNT / STEP / 8)) }, (_, n) => row(n, now));
};
const on = (each) => each.cleared_s === null;

export function counts() {
  const found = { high: 0, medium: 0, low: 0 };
  for (const each of all().filter(on)) found[each.severity] += 1;
  return found;
}

export const ofMeter = (i) =>
  all()
    .filter((each) => each.meter_id === i && on(each))
    .map(({ alarm, severity, raised_s }) => ({ alarm, severity, since_s: raised_s }));

export function page(query) {
  const state = query.get('state') ?? 'active';
  const limit = Number(query.get('limit') ?? 50);
  const wanted = all()
    .filter((each) =>
      state === 'active' ? on(each) : state === 'open' ? each.acknowledged_s === null : true,
    )
    .filter((each) => [null, each.severity].includes(query.get('severity')))
    .filter((each) => [null, each.alarm].includes(query.get('alarm')))
    .filter((each) => [null, String(each.meter_id)].includes(query.get('meter')));
  const from = query.has('after') ? wanted.findIndex(({ id }) => String(id) === query.get('after')) + 1 : 0;
  const items = wanted.slice(from, from + limit);
  const more = from + limit < wanted.length;
  return { items, next: more ? String(items.at(-1).id) : null, total: wanted.length, counts: counts() };
}

/** The alarm, or null where somebody else was first. */
export function acknowledge(id, note, who, key) {
  if (keys.get(key) !== id && seen.has(id)) return null;
  if (!seen.has(id)) seen.set(id, { acknowledged_s: w.nowS(), acknowledged_by: who, note });
  keys.set(key, id);
  return all().find((each) => each.id === id) ?? null;
}
