// Settings between the form and the API.  Pure; as people read them: `config_words.ts`.

import type { Tone } from './commands';
import type {
  CalendarTable,
  Choices,
  Limit,
  NewSetting,
  SettingKind,
  SettingState,
  Values,
} from './config_types';
import { addDays, dayStart } from './zone';

export const KINDS: SettingKind[] = ['calendar', 'limiter', 'billing', 'credit', 'reporting', 'zone'];
/** In the order of a bar: what is as it should be on the left. */
export const SETTING_STATES: SettingState[] = ['in_step', 'sending', 'drift', 'refused'];
export const SETTING_TONES: Record<SettingState, Tone> = {
  unmanaged: 'calm',
  in_step: 'good',
  sending: 'busy',
  refused: 'bad',
  drift: 'warn',
};
export const RATES_MAX = 8;

// -- a calendar as rows that can be edited

export interface CalendarDraft {
  name: string;
  offset: string;
  days: { number: number; switches: { at: string; rate: number }[] }[];
  weeks: { name: string; days: number[] }[];
  seasons: CalendarTable['seasons'];
  special: { date: string; day: number }[];
}

export function draftOf(table: CalendarTable): CalendarDraft {
  return {
    name: table.name,
    offset: table.offset,
    days: Object.entries(table.days).map(([number, switches]) => ({
      number: Number(number),
      switches: Object.entries(switches).map(([at, rate]) => ({ at, rate })),
    })),
    weeks: Object.entries(table.weeks).map(([name, days]) => ({ name, days: [...days] })),
    seasons: table.seasons.map((season) => ({ ...season })),
    special: table.special_days.map(({ date, day }) => ({ date, day })),
  };
}

/** What `draftOf` reads back; two switches at one time, or two weeks of one name, are one. */
export function tableOf(draft: CalendarDraft): CalendarTable {
  return {
    name: draft.name.trim(),
    offset: draft.offset.trim(),
    days: Object.fromEntries(
      draft.days.map(({ number, switches }) => [
        String(number),
        Object.fromEntries(switches.map(({ at, rate }) => [at, rate])),
      ]),
    ),
    weeks: Object.fromEntries(draft.weeks.map(({ name, days }) => [name.trim(), [...days]])),
    seasons: draft.seasons.map(({ name, start, week }) => ({
      name: name.trim(),
      start: start.trim(),
      week: week.trim(),
    })),
    special_days: draft.special.map(({ date, day }, place) => ({ index: place + 1, date: date.trim(), day })),
  };
}

/** The smallest number that no day profile has. */
export function freeNumber(draft: CalendarDraft): number {
  const taken = new Set(draft.days.map(({ number }) => number));
  let number = 1;
  while (taken.has(number)) number += 1;
  return number;
}

// -- the form

/** What the form holds of every kind: one may look at another kind and come back. */
export interface Draft {
  calendar: CalendarDraft;
  when: 'now' | 'tomorrow' | 'month' | 'at';
  /** Local date and time of the site, where `when` is `at`. */
  at: string;
  limiter: Values['limiter'];
  billing: Values['billing'];
  warnings: string;
  emergency: { limit: number; threshold: number; button: boolean };
  /** In minutes. */
  reporting: { report: number; live: number; channels: string; parity: boolean };
  zone: Values['zone'];
}

export const powerLimit = (watts: number): Limit => ({
  quantity: 'power',
  normal: watts,
  emergency: null,
  over_s: 60,
  under_s: 10,
});

/** A form that says what is wanted now, and else what most meters have. */
export function draftFrom(choices: Choices, wanted: Partial<Values>): Draft {
  const common = choices.calendars.find(({ name }) => name === 'pln-wbp') ?? choices.calendars[0];
  const table = wanted.calendar?.table ?? common;
  if (!table) throw new RangeError('a program without calendars');
  const reporting = wanted.reporting;
  return {
    calendar: draftOf(table),
    when: 'tomorrow',
    at: '',
    limiter: structuredClone(
      wanted.limiter ?? {
        limits: [powerLimit(1300)],
        reclose_delay_s: 60,
        recloses_per_hour: 3,
        recloses_per_day: 6,
      },
    ),
    billing: { day: 1, hour: 0, ...wanted.billing },
    warnings: (wanted.credit?.warnings ?? [5000, 1000]).join(', '),
    emergency: wanted.credit?.emergency ?? { limit: 0, threshold: 0, button: true },
    reporting: {
      report: (reporting?.report_s ?? 3600) / 60,
      live: (reporting?.live_s ?? 21600) / 60,
      channels: (reporting?.channels ?? ['import', 'export']).join(' '),
      parity: reporting?.parity ?? true,
    },
    zone: { offset: wanted.zone?.offset ?? '+07:00' },
  };
}

/** When a calendar takes over (ISO 8601), null: at once; undefined: the field is empty. */
export function activation(draft: Draft, today: string, zone: string): string | null | undefined {
  const iso = (at_s: number): string => new Date(at_s * 1000).toISOString();
  switch (draft.when) {
    case 'now':
      return null;
    case 'tomorrow':
      return iso(dayStart(addDays(today, 1), zone));
    case 'month': {
      const [year = 0, month = 0] = today.split('-').map(Number);
      const next =
        month === 12
          ? `${String(year + 1)}-01-01`
          : `${String(year)}-${String(month + 1).padStart(2, '0')}-01`;
      return iso(dayStart(next, zone));
    }
    case 'at': {
      const found = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d)/.exec(draft.at);
      if (!found) return undefined;
      const [, day = '', hour, minute] = found;
      return iso(dayStart(day, zone) + Number(hour) * 3600 + Number(minute) * 60);
    }
  }
}

const numbersOf = (text: string): number[] =>
  text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);

/** What the form orders; null: a field is not filled in. */
export function settingOf(kind: SettingKind, draft: Draft, today: string, zone: string): NewSetting | null {
  switch (kind) {
    case 'calendar': {
      const activate = activation(draft, today, zone);
      return activate === undefined ? null : { kind, table: tableOf(draft.calendar), activate };
    }
    case 'limiter':
      return draft.limiter.limits.some(({ normal }) => !normal) ? null : { kind, ...draft.limiter };
    case 'billing':
      return { kind, ...draft.billing };
    case 'credit': {
      const warnings = numbersOf(draft.warnings);
      const emergency = draft.emergency.limit ? { ...draft.emergency } : null;
      return warnings.some(Number.isNaN) ? null : { kind, warnings, emergency };
    }
    case 'reporting': {
      const { report, live, channels, parity } = draft.reporting;
      return {
        kind,
        report_s: report * 60,
        live_s: live * 60,
        channels: channels.split(' '),
        parity,
      };
    }
    case 'zone':
      return { kind, ...draft.zone };
  }
}
