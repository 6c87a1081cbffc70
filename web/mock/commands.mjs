// Commands of the mock: each walks its states in a few seconds.  For development only.

import * as reads from './reads.mjs';
import { nowS } from './world.mjs';

const WAY = [
  [1200, 'sent', 'left for gateway b827ebfffe5a1c02'],
  [2600, 'executed', 'the meter answered: done'],
  [4200, 'verified', 'seen in the report of the meter'],
];
/** A reason that begins with one of these words ends the command so. */
const ENDS = { fail: 'failed', expire: 'expired', unknown: 'unknown' };

const byMeter = new Map();
let number = 0;

export const listOf = (meter) => byMeter.get(meter) ?? [];
export const open = () =>
  [...byMeter.values()].flat().filter((c) => ['queued', 'sent', 'executed'].includes(c.state)).length;

export function issue(meter, kind, reason, user, tell, done) {
  const now = nowS();
  const command = {
    id: `c${(number += 1)}`,
    meter_id: meter,
    kind,
    state: 'queued',
    created_s: now,
    created_by: user,
    reason,
    expires_s: now + 3600,
    steps: [{ at_s: now, state: 'queued', text: '' }],
  };
  byMeter.set(meter, [command, ...listOf(meter)]);
  const bad = Object.entries(ENDS).find(([word]) => reason.startsWith(word))?.[1];
  const way = bad ? [WAY[0], [3000, bad, 'the meter did not answer in time']] : WAY;
  for (const [after, state, text] of way) {
    setTimeout(() => {
      if (command.state === 'cancelled') return;
      command.state = state;
      command.steps.push({ at_s: nowS(), state, text });
      if (state === 'executed') done();
      tell(command);
    }, after);
  }
  tell(command);
  return command;
}

export function cancel(id, tell) {
  const command = [...byMeter.values()].flat().find((each) => each.id === id);
  if (!command || command.state !== 'queued') return null;
  command.state = 'cancelled';
  command.steps.push({ at_s: nowS(), state: 'cancelled', text: '' });
  tell(command);
  return command;
}

/** Something to look at before anything is sent. */
export function past(meter, user) {
  const at = nowS() - 9 * 86_400;
  const step = (add, state) => ({ at_s: at + add, state, text: '' });
  byMeter.set(meter, [
    {
      id: `p${meter}`,
      meter_id: meter,
      kind: 'read',
      state: 'verified',
      created_s: at,
      created_by: user,
      reason: '',
      expires_s: at + 600,
      steps: [step(0, 'queued'), step(2, 'sent'), step(5, 'executed'), step(8, 'verified')],
    },
  ]);
}

export const routes = [
  ...reads.routes,
  [
    'GET',
    /^\/meters\/(\d+)\/commands$/,
    ({ match: [, id] }) => {
      if (Number(id) % 2 && !listOf(Number(id)).length) past(Number(id), 'operator');
      return { items: listOf(Number(id)) };
    },
  ],
];
