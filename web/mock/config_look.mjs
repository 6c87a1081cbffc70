// What the server of the mock says of settings that are only looked at.  For development only.

import { year } from './calendars.mjs';
import { members } from './groups.mjs';
import { modelOf, serialOf } from './world.mjs';

/** The body of an order, looked at. */
export function look(body) {
  const ids = members(body);
  const [setting] = body.settings;
  const unable = setting.kind === 'limiter' ? ids.filter((id) => !modelOf(id).supply_switch) : [];
  const problems = [];
  if (setting.kind === 'reporting' && setting.live_s < setting.report_s)
    problems.push({
      kind: 'reporting',
      detail: `live values every ${setting.live_s} s: from the report's ${setting.report_s} to 604800`,
    });
  return {
    problems,
    meters: ids.length,
    unknown: (body.serials ?? []).filter((each) => !ids.some((id) => serialOf(id) === each)),
    unable: unable.length,
    unable_first: unable.slice(0, 20).map((id) => ({
      serial: serialOf(id),
      detail: `meter ${serialOf(id)} has no supply switch to limit with`,
    })),
    needs_approval: setting.kind === 'limiter' && ids.length > 1,
    bytes: { [setting.kind]: setting.kind === 'calendar' ? 61 : 12 },
    year: setting.kind === 'calendar' ? year(setting.table) : null,
  };
}
