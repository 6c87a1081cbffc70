// Command campaigns of the mock: they run by the clock, one meter in nine fails.  For development only.

import { serialOf, modelOf, nowS } from './world.mjs';
import { members } from './groups.mjs';

const STEP_MS = 700;
const ENDED = ['done', 'cancelled', 'rejected', 'expired'];
const MOVES = {
  awaiting: ['approve', 'reject', 'cancel'],
  running: ['pause', 'cancel'],
  paused: ['resume', 'cancel'],
  stopped: ['resume', 'cancel'],
};
const TO = {
  approve: 'running',
  reject: 'rejected',
  pause: 'paused',
  resume: 'running',
  cancel: 'cancelled',
};
const WHY = ['its time is over', 'the meter refused: not allowed now', 'no supply switch'];
const all = [];
const keys = new Map();

function note(campaign, state, by, text) {
  campaign.state = state;
  campaign.history.push({ at_s: nowS(), state, by, text });
}

function make(said, by, ids) {
  const campaign = {
    id: all.length + 1,
    name: said.site || said.name || `${serialOf(ids[0])} + ${ids.length - 1}`,
    kind: said.kind,
    created_s: nowS(),
    created_by: by,
    approved_by: '',
    reason: said.reason,
    pace: said.pace ?? 60,
    stop_pct: said.stop_pct ?? 20,
    stop_min: said.stop_min ?? 10,
    life_s: 3600,
    expires_s: nowS() + (said.expires_s ?? 86_400),
    meters: ids.length,
    history: [],
    members: ids.map((id) => ({
      meter_id: id,
      serial: serialOf(id),
      state: 'waiting',
      command_id: null,
      text: '',
    })),
  };
  note(campaign, said.kind === 'switch_open' ? 'awaiting' : 'running', by, said.reason);
  all.push(campaign);
  return campaign;
}

function shown({ members: of, ...campaign }) {
  const counts = { waiting: 0, ordered: 0, verified: 0, failed: 0, expired: 0, cancelled: 0 };
  for (const { state } of of) counts[state] += 1;
  return { ...campaign, counts, moves: MOVES[campaign.state] ?? [] };
}

function step(campaign) {
  if (campaign.state !== 'running') return;
  for (const each of campaign.members.filter(({ state }) => state === 'ordered').slice(0, 2)) {
    const bad = each.meter_id % 9 === 4;
    each.state = bad ? 'failed' : 'verified';
    each.text = bad ? WHY[each.meter_id % 3] : 'seen in a report';
  }
  const waiting = campaign.members.filter(({ state }) => state === 'waiting');
  for (const each of waiting.slice(0, 2))
    Object.assign(each, { state: 'ordered', command_id: 900 + each.meter_id });
  if (!campaign.members.some(({ state }) => state === 'waiting' || state === 'ordered'))
    note(campaign, 'done', '', '');
}
setInterval(() => all.forEach(step), STEP_MS).unref();

function say(id, move, by, reason) {
  const campaign = all[id - 1];
  note(campaign, TO[move], by, reason);
  if (move === 'approve') campaign.approved_by = by;
  if (ENDED.includes(campaign.state))
    for (const each of campaign.members) if (each.state === 'waiting') each.state = 'cancelled';
  return shown(campaign);
}

function chosen(said) {
  return said.meters?.length ? said.meters : members(said);
}

const unable = (kind, ids) =>
  kind.startsWith('switch') ? ids.filter((id) => !modelOf(id).supply_switch).length : 0;

make(
  { kind: 'read', name: 'Rusun Kemayoran', reason: 'Monthly audit' },
  'budi',
  [...Array(40).keys()].map((n) => n * 3),
);
make(
  { kind: 'switch_open', name: 'Arrears November', reason: 'Unpaid since August' },
  'budi',
  [7, 12, 13, 40, 51, 66],
);

export const routes = [
  ['GET', /^\/campaigns$/, () => ({ items: [...all].reverse().map(shown), next: null })],
  ['GET', /^\/campaigns\/(\d+)$/, ({ match: [, id] }) => shown(all[Number(id) - 1])],
  [
    'GET',
    /^\/campaigns\/(\d+)\/meters$/,
    ({ match: [, id], query }) => {
      const [state, after, limit] = [
        query.get('state'),
        query.get('after') ?? '',
        Number(query.get('limit')),
      ];
      const found = all[Number(id) - 1].members
        .filter((each) => (!state || each.state === state) && each.serial > after)
        .sort((a, b) => (a.serial < b.serial ? -1 : 1));
      const items = found.slice(0, limit);
      return { items, next: found.length > limit ? items.at(-1).serial : null };
    },
  ],
  [
    'POST',
    /^\/campaigns\/look$/,
    ({ body }) => {
      const ids = chosen(body);
      return {
        meters: ids.length,
        unable: unable(body.kind, ids),
        needs_approval: body.kind === 'switch_open',
      };
    },
  ],
  [
    'POST',
    /^\/campaigns$/,
    ({ body, request }) => {
      const key = request.headers['idempotency-key'];
      if (!keys.has(key)) keys.set(key, make(body, 'operator', chosen(body)));
      return shown(keys.get(key));
    },
  ],
  [
    'POST',
    /^\/campaigns\/(\d+)\/(approve|reject|pause|resume|cancel)$/,
    ({ match: [, id, move], body }) => say(Number(id), move, 'operator', body.reason),
  ],
];
