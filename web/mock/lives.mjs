// Lives and exchanges of the mock: every 29th meter is being commissioned, every 31st in stock.  For development only.

import * as w from './world.mjs';

const MOVES = {
  in_stock: ['remove'],
  commissioning: ['activate', 'remove'],
  active: ['suspend', 'remove', 'replace'],
  suspended: ['resume', 'remove', 'replace'],
};
const TO = { activate: 'active', suspend: 'suspended', resume: 'active', remove: 'removed' };
const moved = new Map();
const steps = new Map();
const exchanges = [];

export const lifeOf = (i) =>
  moved.get(i) ?? (i % 31 === 5 ? 'in_stock' : i % 29 === 3 ? 'commissioning' : 'active');

function move(i, event, state, reason) {
  moved.set(i, state);
  const at_s = w.nowS();
  steps.set(i, [...(steps.get(i) ?? []), { event, state, at_s, recorded_s: at_s, by: 'operator', reason }]);
}

function shown(i) {
  const state = lifeOf(i);
  const early = state === 'in_stock' || state === 'commissioning';
  const check = (name, holds, seen) => ({ name, holds, seen });
  return {
    meter_id: i,
    state,
    since_s: w.nowS() - 86_400,
    ended_s: state === 'suspended' || state === 'replaced' ? w.nowS() - 3600 : null,
    checks: early
      ? [
          check('joined', true, '14 uplinks'),
          check('clock', true, '+2 s'),
          check('registers', true, 'import 12 Wh'),
          check('switch', false, 'has not answered'),
          check('signal', true, '12 dB over the floor'),
        ]
      : [],
    steps: steps.get(i) ?? [],
    exchanges: exchanges.filter((each) => each.old_meter_id === i || each.new_meter_id === i),
    moves: MOVES[state] ?? [],
  };
}

const side = (i, leads) => ({
  meter_id: i,
  serial: w.serialOf(i),
  model: w.modelOf(i).name,
  state: lifeOf(i),
  registers: ['import_wh', 'export_wh'].map((name, at) => ({
    name,
    last_wh: leads ? 3_482_117 - at * 3_000_000 : null,
    last_s: leads ? w.nowS() - 700 : null,
    leads_to_wh: leads && !at ? 3_482_990 : null,
  })),
});

function look(old, { new_serial, at_s, final = {}, start = {} }) {
  const found = Array.from({ length: 2000 }, (_, i) => i).find((i) => w.serialOf(i) === new_serial);
  const lacks = (said) => ['import_wh', 'export_wh'].filter((name) => !(name in said));
  const refused =
    at_s % w.PERIOD_S !== 0
      ? `${new Date(at_s * 1000).toISOString()} is inside an interval of 15 min`
      : lacks(final).length
        ? `meter ${w.serialOf(old)}: its registers lack ${lacks(final).join(', ')}`
        : lacks(start).length
          ? `meter ${new_serial}: its registers lack ${lacks(start).join(', ')}`
          : '';
  return {
    old: side(old, true),
    new: side(found ?? 5, false),
    edge_s: at_s - (at_s % w.PERIOD_S),
    refused,
    estimated: { import_wh: 3, export_wh: 0 },
  };
}

export const routes = [
  ['GET', /^\/meters\/(\d+)\/life$/, ({ match: [, id] }) => shown(Number(id))],
  [
    'POST',
    /^\/meters\/(\d+)\/life$/,
    ({ match: [, id], body }) => {
      move(Number(id), body.event, TO[body.event], body.reason);
      return shown(Number(id));
    },
  ],
  ['POST', /^\/meters\/(\d+)\/exchange\/look$/, ({ match: [, id], body }) => look(Number(id), body)],
  [
    'POST',
    /^\/meters\/(\d+)\/exchange$/,
    ({ match: [, id], body }) => {
      const [old, fresh] = [Number(id), body.new_meter_id];
      move(old, 'replace', 'replaced', `by ${w.serialOf(fresh)}: ${body.reason}`);
      move(fresh, 'install', 'active', `in place of ${w.serialOf(old)}: ${body.reason}`);
      exchanges.push({ ...body, old_meter_id: old, by: 'operator' });
      return shown(fresh);
    },
  ],
];
