// The configuration of the mock: wanted at once, in step after some seconds; every seventh meter refuses.  For development only.

import { choices } from './calendars.mjs';
import { look } from './config_look.mjs';
import { members } from './groups.mjs';
import { nowS, serialOf, siteOf } from './world.mjs';

const IN_STEP_S = 6;
const KINDS = ['calendar', 'limiter', 'billing', 'credit', 'reporting', 'zone'];
/** meter -> kind -> {version, value, since_s, by, reason, refused} of all versions, the newest last. */
const told = new Map();
const orders = [];

function versions(meter, kind) {
  const kinds = told.get(meter) ?? told.set(meter, {}).get(meter);
  return (kinds[kind] ??= []);
}

function want(meter, { kind, ...value }, by, reason) {
  const before = versions(meter, kind);
  if (kind === 'calendar') {
    const table = value.table ?? choices.calendars.find(({ name }) => name === value.named);
    value = {
      name: table.name,
      activate_s: value.activate ? Date.parse(value.activate) / 1000 : null,
      table,
    };
  }
  const made = { version: before.length + 1, value, since_s: nowS(), by, reason, meter };
  before.push({ ...made, refused: meter % 7 === 6 && before.length === 0 });
  return made.version;
}

const stateOf = (each) =>
  each.refused ? 'refused' : nowS() - each.since_s < IN_STEP_S ? 'sending' : each.drift ? 'drift' : 'in_step';

function item(meter, kind) {
  const newest = versions(meter, kind).at(-1);
  if (!newest?.value)
    return { kind, state: 'unmanaged', wanted: null, reported: null, detail: '', sent_pct: null };
  const state = stateOf(newest);
  const { version, value, since_s, by } = newest;
  return {
    kind,
    state,
    wanted: { version, check: '00c0ffee', value, since_s, by },
    reported:
      version === 1 && state !== 'in_step'
        ? null
        : { version: state === 'in_step' ? version : version - 1, check: 'ffee', at_s: nowS() - 3 },
    detail: newest.refused ? 'malformed' : '',
    sent_pct: state === 'sending' ? Math.min(99, Math.round(((nowS() - since_s) * 100) / IN_STEP_S)) : null,
  };
}
const shown = (meter) => ({ items: KINDS.map((kind) => item(meter, kind)) });

function history(meter) {
  const items = KINDS.flatMap((kind) =>
    versions(meter, kind).map((each) => ({
      order_id: each.version,
      kind,
      version: each.version,
      value: each.value,
      at_s: each.since_s,
      by: each.by,
      approved_by: '',
      reason: each.reason,
      state: { in_step: 'verified', sending: 'ordered', refused: 'failed', drift: 'verified' }[stateOf(each)],
      text: '',
    })),
  );
  return { items: items.sort((a, b) => b.at_s - a.at_s) };
}

const MOVES = {
  awaiting: ['approve', 'reject', 'cancel'],
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
};
const TO = {
  approve: 'running',
  reject: 'rejected',
  pause: 'paused',
  resume: 'running',
  cancel: 'cancelled',
};

function order(body, by, serial) {
  const ids = members(body);
  const [setting] = body.settings;
  const made = {
    id: orders.length + 1,
    name:
      body.site || serial || (body.group ? `group ${body.group}` : `${serialOf(ids[0])} + ${ids.length - 1}`),
    kinds: [setting.kind],
    created_s: nowS(),
    created_by: by,
    approved_by: '',
    reason: body.reason,
    stop_pct: 20,
    stop_min: 10,
    meters: ids.length,
    history: [],
    ids,
    setting,
  };
  say(made, setting.kind === 'limiter' && ids.length > 1 ? 'awaiting' : 'running', by, body.reason);
  orders.push(made);
  return order_out(made);
}

function say(made, state, by, text) {
  made.state = state;
  made.history.push({ at_s: nowS(), state, by, text });
  if (state === 'running' && !made.begun) {
    made.begun = nowS();
    for (const id of made.ids) want(id, made.setting, made.created_by, made.reason);
  }
}

function members_of(made) {
  const [kind] = made.kinds;
  return made.ids.map((id) => {
    const state = made.begun ? stateOf(versions(id, kind).at(-1)) : 'waiting';
    const as =
      { in_step: 'verified', drift: 'verified', sending: 'ordered', refused: 'failed' }[state] ?? state;
    return {
      meter_id: id,
      serial: serialOf(id),
      state: as,
      versions: as === 'waiting' ? {} : { [kind]: versions(id, kind).length },
      text: as === 'failed' ? `${kind}: malformed` : '',
    };
  });
}

function order_out(order) {
  const { ids, setting, begun, ...made } = order;
  const { kind, ...value } = setting;
  const counts = { waiting: 0, ordered: 0, verified: 0, failed: 0, expired: 0, cancelled: 0 };
  for (const { state } of members_of(order)) counts[state] += 1;
  const said = kind === 'calendar' ? { name: value.table.name, activate_s: null, table: value.table } : value;
  const done = Boolean(begun) && ids.length === counts.verified + counts.failed;
  const state = done ? 'done' : made.state;
  return { ...made, state, values: { [kind]: said }, counts, moves: done ? [] : (MOVES[made.state] ?? []) };
}

const all = () =>
  [...told.keys()]
    .flatMap((meter) => KINDS.map((kind) => ({ meter, ...item(meter, kind) })))
    .filter(({ wanted }) => wanted);

// Something to look at: a calendar for a site, one meter that drifted.
order(
  {
    group: 2,
    settings: [{ kind: 'calendar', table: choices.calendars[2], activate: null }],
    reason: 'New tariff',
  },
  'ani',
);
for (const kinds of told.values()) for (const each of kinds.calendar) each.since_s -= 3600;
versions(12, 'calendar').at(-1).drift = true;

export const routes = [
  ['GET', /^\/configuration\/choices$/, () => choices],
  ['POST', /^\/configuration\/look$/, ({ body }) => look(body)],
  [
    'GET',
    /^\/configuration$/,
    () => {
      const counts = {};
      for (const { kind, state } of all()) {
        counts[kind] ??= {};
        counts[kind][state] = (counts[kind][state] ?? 0) + 1;
      }
      return { counts, meters: told.size };
    },
  ],
  [
    'GET',
    /^\/configuration\/meters$/,
    ({ query }) => ({
      items: all()
        .filter(({ state }) => (query.get('state') ? state === query.get('state') : state !== 'in_step'))
        .filter(({ kind }) => !query.get('kind') || kind === query.get('kind'))
        .map(({ meter, kind, state, wanted, reported, detail }) => ({
          meter_id: meter,
          serial: serialOf(meter),
          site: siteOf(meter),
          kind,
          state,
          version: wanted.version,
          reported_version: reported?.version ?? null,
          wanted_s: wanted.since_s,
          detail,
        })),
      next: null,
    }),
  ],
  ['GET', /^\/configurations$/, () => ({ items: orders.map(order_out).reverse(), next: null })],
  ['POST', /^\/configurations$/, ({ body }) => order(body, 'operator')],
  ['GET', /^\/configurations\/(\d+)$/, ({ match: [, id] }) => order_out(orders[id - 1])],
  [
    'GET',
    /^\/configurations\/(\d+)\/meters$/,
    ({ match: [, id], query }) => ({
      items: members_of(orders[id - 1]).filter(
        ({ state }) => !query.get('state') || state === query.get('state'),
      ),
      next: null,
    }),
  ],
  [
    'POST',
    /^\/configurations\/(\d+)\/(\w+)$/,
    ({ match: [, id, move], body }) => {
      say(orders[id - 1], TO[move], 'budi', body.reason);
      return order_out(orders[id - 1]);
    },
  ],
  ['GET', /^\/meters\/(\d+)\/configuration$/, ({ match: [, id] }) => shown(Number(id))],
  ['GET', /^\/meters\/(\d+)\/configuration\/history$/, ({ match: [, id] }) => history(Number(id))],
  [
    'PUT',
    /^\/meters\/(\d+)\/configuration$/,
    ({ match: [, id], body }) => {
      for (const setting of body.settings) want(Number(id), setting, 'operator', body.reason);
      return shown(Number(id));
    },
  ],
  [
    'POST',
    /^\/meters\/(\d+)\/configuration\/(\w+)\/accept$/,
    ({ match: [, id, kind], body }) => {
      const all = versions(Number(id), kind);
      all.push({ ...all.at(-1), value: null, refused: false, drift: false, reason: body.reason });
      return shown(Number(id));
    },
  ],
];
