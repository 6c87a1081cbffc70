// Groups and templates of the mock.  For development only.

import * as w from './world.mjs';

/** Meters that the mock looks through: enough for a screen. */
const SEEN = Math.min(w.COUNT, 2000);
const every = Array.from({ length: SEEN }, (_, i) => i);
const idOf = new Map(every.map((i) => [w.serialOf(i), i]));
const groups = [
  { id: 1, name: 'Three phase', fixed: false, site: '', model: 'three-phase', tariff: '' },
  { id: 2, name: 'Arrears November', fixed: true, site: '', model: '', tariff: '', ids: [7, 12, 13, 40, 51] },
];
const templates = [
  { name: 'Residential', period_min: 15, report_min: 60, tariff: 'pln-r1-1300', zone: w.ZONE },
  { name: 'Industry', period_min: 15, report_min: 15, tariff: 'pln-i3', zone: w.ZONE },
];

const fits = (said) => (i) =>
  (!said.site || w.siteOf(i) === said.site) && (!said.model || w.modelOf(i).name === said.model);

/** The meters of a group, or of what a group is said to be. */
export function members(said) {
  const group = said.group === undefined ? said : groups.find(({ id }) => id === Number(said.group));
  if (group.ids) return group.ids;
  if (group.meters) return group.meters;
  if (group.serials) return group.serials.filter((each) => idOf.has(each)).map((each) => idOf.get(each));
  return every.filter(fits(group));
}

const shown = (group) => ({ ...group, ids: undefined, meters: members({ group: group.id }).length });

export const routes = [
  ['GET', /^\/groups$/, () => ({ items: groups.map(shown) })],
  [
    'POST',
    /^\/groups\/look$/,
    ({ body }) => ({
      meters: members(body).length,
      unknown: (body.serials ?? []).filter((each) => !idOf.has(each)),
    }),
  ],
  [
    'POST',
    /^\/groups$/,
    ({ body }) => {
      const { name, site = '', model = '', tariff = '' } = body;
      const fixed = Boolean(body.meters ?? body.serials);
      groups.push({ id: groups.length + 1, name, fixed, site, model, tariff, ids: members(body) });
      return shown(groups.at(-1));
    },
  ],
  ['GET', /^\/templates$/, () => ({ items: templates })],
  ['POST', /^\/templates$/, ({ body }) => templates.push(body) && body],
];
