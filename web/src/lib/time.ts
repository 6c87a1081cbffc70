// Instants as people read them, in the site's zone and with its name.  English and Indonesian, 24 hours.

import { LOCALE } from './number';
import type { Lang } from './types';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(lang: Lang, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${lang} ${zone} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(LOCALE[lang], { timeZone: zone, hourCycle: 'h23', ...options });
    formats.set(key, made);
  }
  return made;
}

const TIME: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' };
const DATE: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short', year: 'numeric' };

function withColons(text: string, lang: Lang): string {
  // id-ID writes 14.05; beside decimal numbers in a table a colon is clearer and is what Indonesian clocks show.
  return lang === 'id'
    ? text.replace(/(\d{2})\.(\d{2})(?:\.(\d{2}))?/g, (_, h: string, m: string, s?: string) =>
        s ? `${h}:${m}:${s}` : `${h}:${m}`,
      )
    : text;
}

export function time(at_s: number, zone: string, lang: Lang): string {
  return withColons(format(lang, zone, TIME).format(at_s * 1000), lang);
}

export function clockTime(at_s: number, zone: string, lang: Lang): string {
  return withColons(format(lang, zone, { ...TIME, second: '2-digit' }).format(at_s * 1000), lang);
}

export function date(at_s: number, zone: string, lang: Lang): string {
  return format(lang, zone, DATE).format(at_s * 1000);
}

export function dateTime(at_s: number, zone: string, lang: Lang): string {
  return `${date(at_s, zone, lang)} ${time(at_s, zone, lang)}`;
}

/** `1–31 Oct 2026`: the days from `from_s` to before `to_s`. */
export function dateRange(from_s: number, to_s: number, zone: string, lang: Lang): string {
  return format(lang, zone, DATE).formatRange(from_s * 1000, (to_s - 1) * 1000);
}

/** A calendar day of the API, `YYYY-MM-DD`, or a month, `YYYY-MM`: neither has a zone. */
export function dayName(day: string, lang: Lang, options: Intl.DateTimeFormatOptions = DATE): string {
  return format(lang, 'UTC', options).format(Date.parse(`${day}T00:00:00Z`));
}

export function monthName(month: string, lang: Lang): string {
  return dayName(`${month}-01`, lang, { month: 'long', year: 'numeric' });
}

/** `WIB`, `CET`, `GMT+5:30`: English has no letters for Indonesia's zones, Indonesian has. */
export function zoneName(zone: string, at_s: number, lang: Lang): string {
  const name = (locale: string): string =>
    new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' })
      .formatToParts(at_s * 1000)
      .find(({ type }) => type === 'timeZoneName')?.value ?? zone;
  const own = name(LOCALE[lang]);
  if (!/^(GMT|UTC).+/.test(own)) return own;
  const indonesian = name('id-ID');
  return /^WI(B|TA|T)$/.test(indonesian) ? indonesian : own;
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** `3 min ago`, from two instants of the same clock; what lies ahead by a late clock is now. */
export function ago(at_s: number, now_s: number, lang: Lang): string {
  const past = Math.max(0, now_s - at_s);
  for (const [unit, seconds] of STEPS) {
    if (past >= seconds) {
      const relative = new Intl.RelativeTimeFormat(LOCALE[lang], { style: 'short' });
      return relative.format(-Math.floor(past / seconds), unit);
    }
  }
  return new Intl.RelativeTimeFormat(LOCALE[lang], { numeric: 'auto' }).format(0, 'second');
}

/** A number with a unit of time; en-GB would write `15 mins`. */
function timed(value: number, unit: string, lang: Lang): string {
  const options: Intl.NumberFormatOptions = { style: 'unit', unit, unitDisplay: 'short' };
  return new Intl.NumberFormat(lang === 'en' ? 'en-US' : LOCALE[lang], options)
    .format(value)
    .replace(' ', '\u00a0');
}

/** `900` -> `15 min`, `3600` -> `1 hr`; RangeError for what is not a whole positive number of seconds. */
export function span(seconds: number, lang: Lang): string {
  if (!Number.isInteger(seconds) || seconds <= 0) throw new RangeError(`not a span: ${seconds}`);
  const [unit, size] = STEPS.find(([, length]) => seconds % length === 0) ?? ['second', 1];
  return timed(seconds / size, unit, lang);
}

/** About how long: hours and minutes, or minutes, or seconds. */
export function duration(seconds: number, lang: Lang): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return timed(whole, 'second', lang);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return timed(minutes, 'minute', lang);
  return `${timed(Math.floor(minutes / 60), 'hour', lang)} ${timed(minutes % 60, 'minute', lang)}`;
}
