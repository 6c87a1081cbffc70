// Settings and the year of a calendar as people read them.  Pure.

import type { Messages } from '../i18n/en';
import type { Limit, Quantity, SettingKind, Values, Year } from './config_types';
import { integer } from './number';
import { dateTime } from './time';
import type { Lang } from './types';
import { addDays } from './zone';

export const UNITS: Record<Quantity, string> = {
  power: 'W',
  current: 'A',
  over_voltage: 'V',
  under_voltage: 'V',
};

// -- in words

type Words = Messages['configuration'];

/** What a setting says, in one line. */
export function said<K extends SettingKind>(
  kind: K,
  value: Values[K],
  t: Words,
  zone: string,
  lang: Lang,
): string {
  const all = { [kind]: value } as Partial<Values>;
  if (all.calendar) {
    const { name, activate_s } = all.calendar;
    return `${name} · ${activate_s ? t.from(dateTime(activate_s, zone, lang)) : t.now}`;
  }
  if (all.limiter) {
    return all.limiter.limits.length
      ? all.limiter.limits.map((each) => limitSaid(each, t, lang)).join(', ')
      : t.noLimit;
  }
  if (all.billing) return t.billing(all.billing.day, all.billing.hour);
  if (all.credit) {
    const levels = all.credit.warnings.map((level) => integer(level, lang)).join(', ') || t.noWarnings;
    return all.credit.emergency
      ? `${t.warnsAt(levels)}; ${t.emergencyOf(integer(all.credit.emergency.limit, lang))}`
      : t.warnsAt(levels);
  }
  if (all.reporting) {
    const { report_s, live_s, channels, parity } = all.reporting;
    const times = t.reporting(minutes(report_s, lang), minutes(live_s, lang));
    return `${times}; ${channelsSaid(channels, t)}${parity ? '' : `; ${t.noParity}`}`;
  }
  return `UTC${all.zone?.offset ?? ''}`;
}

const minutes = (seconds: number, lang: Lang): string => integer(Math.round(seconds / 60), lang);

export function limitSaid(limit: Limit, t: Words, lang: Lang): string {
  return `${t.quantities[limit.quantity]} ${integer(limit.normal, lang)} ${UNITS[limit.quantity]}`;
}

/** Channels that are reported together, as a name where they have one. */
export function channelsSaid(channels: string[], t: Words): string {
  return t.channelSets[String(channels.length) as keyof Words['channelSets']] ?? channels.join(', ');
}

/** Why a meter refused, in words where it is a reason that is known. */
export function refusal(detail: string, t: Words): string {
  return t.refusals[detail as keyof Words['refusals']] ?? detail;
}

// -- the year

export interface Month {
  /** `2026-01`. */
  month: string;
  days: { date: string; profile: number }[];
}

/** The days of a year by month. */
export function months(year: Year): Month[] {
  const found: Month[] = [];
  year.days.forEach((profile, place) => {
    const date = addDays(year.first, place);
    const month = date.slice(0, 7);
    const last = found.at(-1);
    if (last?.month === month) last.days.push({ date, profile });
    else found.push({ month, days: [{ date, profile }] });
  });
  return found;
}

/** The runs of a day: from which minute how long which rate holds. */
export function runs(switches: [string, number][]): { at: string; minutes: number; rate: number }[] {
  const minute = (at: string): number => Number(at.slice(0, 2)) * 60 + Number(at.slice(3));
  return switches.map(([at, rate], place) => {
    const next = switches[place + 1];
    return { at, rate, minutes: (next ? minute(next[0]) : 1440) - minute(at) };
  });
}
