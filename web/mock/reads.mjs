// Scheduled reads of the mock: plans of one process, with values as soon as one runs.  For development only.

import { nowS } from './world.mjs';

const plans = [];
let number = 0;
const open = (id) => plans.find((plan) => plan.id === Number(id) && plan.ended_s === null);

export const routes = [
  ['GET', /^\/reads$/, () => ({ items: plans.filter((plan) => plan.ended_s === null) })],
  [
    'POST',
    /^\/reads$/,
    ({ body }) => {
      const made = {
        spread_s: 900,
        meter: null,
        group: null,
        ...body,
        id: (number += 1),
        created_s: nowS(),
        created_by: 'operator',
        next_s: nowS() + 3600,
        run_s: null,
        ordered: 0,
        refused: 0,
        ended_s: null,
      };
      made.meter = made.meter === null ? null : Number(made.meter);
      plans.push(made);
      return made;
    },
  ],
  [
    'POST',
    /^\/reads\/(\d+)\/run$/,
    ({ match: [, id] }) => Object.assign(open(id), { run_s: nowS(), ordered: 1 }),
  ],
  ['DELETE', /^\/reads\/(\d+)$/, ({ match: [, id] }) => Object.assign(open(id), { ended_s: nowS() })],
  [
    'GET',
    /^\/reads\/(\d+)\/values$/,
    ({ match: [, id] }) => {
      const plan = open(id);
      const values = Object.fromEntries(
        plan.quantities.map((name, n) => [name, { value: 1234 + 77 * n, at_s: plan.run_s }]),
      );
      return { items: [{ meter_id: plan.meter, serial: '', values }], next: null };
    },
  ],
];
