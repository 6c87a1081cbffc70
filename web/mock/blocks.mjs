// Campaigns of blocks of the mock: firmware that goes its way by the clock; one meter in eleven goes back.  For development only.

import { serialOf, nowS } from './world.mjs';
import { members } from './groups.mjs';

const STEP_S = 2;
const TOTAL = 76;
const all = [];
const keys = new Map();

function make(said, by) {
  const ids = said.meters ?? members(said.group);
  const image = Buffer.from(said.image ?? '', 'base64');
  const campaign = {
    id: all.length + 1,
    kind: 'firmware',
    version: image.length > 8 ? image.readUInt16LE(6) : 0x0101,
    name: said.name ?? `${serialOf(ids[0])} + ${ids.length - 1}`,
    reason: said.reason,
    state: 'awaiting_approval',
    bytes: image.length || 6016,
    meters: ids.length,
    fragments_total: TOTAL,
    activate_s: said.activate_s ?? 0,
    created_s: nowS(),
    created_by: by,
    approved_by: '',
    begun_s: 0,
    ids,
  };
  all.push(campaign);
  return campaign;
}

const demo = make(
  { meters: Array.from({ length: 40 }, (_, i) => i + 1), reason: 'clock drift', name: 'Menteng' },
  'ani',
);
Object.assign(demo, {
  state: 'running',
  approved_by: 'budi',
  begun_s: nowS() - 20,
  created_s: nowS() - 7_000,
});

const stepOf = (age, i) => {
  if (age < 4) return 'new';
  if (age < 24) return i % 3 ? 'listening' : 'ready';
  if (age < 34) return i % 5 ? 'whole' : 'listening';
  if (age < 44) return 'scheduled';
  return i % 11 === 10 ? 'rolled_back' : age > 44 + (i % 9) ? 'verified' : 'scheduled';
};

function shown(campaign) {
  const { ids, begun_s, ...rest } = campaign;
  const age = begun_s ? (nowS() - begun_s) / STEP_S : -1;
  const steps = ids.map((_, i) => (campaign.state === 'running' && age >= 0 ? stepOf(age, i) : 'new'));
  const counts = {};
  for (const step of steps) counts[step] = (counts[step] ?? 0) + 1;
  const moves = { awaiting_approval: ['approve', 'reject', 'cancel'], running: ['cancel'] };
  const phase = age < 4 ? 'set_up' : age < 24 ? 'send' : age < 34 ? 'ask' : 'activate';
  const fragments = Math.min(TOTAL, Math.max(0, Math.floor((age - 4) * 4)));
  const made = { ...rest, phase, counts, fragments, orders: 4 * ids.length };
  return {
    ...made,
    start_s: age >= 34 ? campaign.activate_s || begun_s + 44 * STEP_S : 0,
    updated_s: nowS(),
    moves: moves[campaign.state] ?? [],
    steps,
  };
}

const page = (campaign) => ({ ...campaign, steps: undefined });
const WHY = { rolled_back: 'it holds no image' };

export const routes = [
  ['GET', /^\/blocks$/, () => ({ items: [...all].reverse().map((each) => page(shown(each))), next: null })],
  ['GET', /^\/blocks\/(\d+)$/, ({ match: [, id] }) => page(shown(all[id - 1]))],
  [
    'GET',
    /^\/blocks\/(\d+)\/meters$/,
    ({ match: [, id] }) => {
      const campaign = all[id - 1];
      const { steps } = shown(campaign);
      const items = campaign.ids.map((meter_id, i) => ({
        meter_id,
        serial: serialOf(meter_id),
        state: steps[i],
        missing: steps[i] === 'listening' ? (i * 7) % 12 : null,
        why: WHY[steps[i]] ?? '',
        firmware: steps[i] === 'verified' ? campaign.version : 0x0100,
      }));
      return { items, next: null };
    },
  ],
  [
    'POST',
    /^\/blocks\/firmware$/,
    ({ body, request }) => {
      const key = request.headers['idempotency-key'];
      if (!keys.has(key)) keys.set(key, make(body, 'operator'));
      return page(shown(keys.get(key)));
    },
  ],
  [
    'POST',
    /^\/blocks\/(\d+)\/(approve|reject|cancel)$/,
    ({ match: [, id, move] }) => {
      const campaign = all[id - 1];
      campaign.state = { approve: 'running', reject: 'rejected', cancel: 'cancelled' }[move];
      if (move === 'approve') Object.assign(campaign, { approved_by: 'operator', begun_s: nowS() });
      return page(shown(campaign));
    },
  ],
];
