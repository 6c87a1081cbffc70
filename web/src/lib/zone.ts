// Local days of a site's IANA zone as UTC seconds, whatever the zone does to its clocks.  The zone's rules are the browser's.

const DAY_S = 86_400;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const formats = new Map<string, Intl.DateTimeFormat>();

interface LocalTime {
  day: string;
  hour: number;
  minute: number;
  second: number;
}

function clock(zone: string): Intl.DateTimeFormat {
  let made = formats.get(zone);
  if (!made) {
    made = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, made);
  }
  return made;
}

/** What a clock on the site's wall shows. */
export function localTime(at_s: number, zone: string): LocalTime {
  const parts: Record<string, string> = {};
  for (const { type, value } of clock(zone).formatToParts(at_s * 1000)) parts[type] = value;
  return {
    day: `${parts['year'] ?? ''}-${parts['month'] ?? ''}-${parts['day'] ?? ''}`,
    hour: Number(parts['hour']),
    minute: Number(parts['minute']),
    second: Number(parts['second']),
  };
}

export function localDay(at_s: number, zone: string): string {
  return localTime(at_s, zone).day;
}

/** The days of the proleptic calendar since 1970; RangeError for what is not a day. */
function dayNumber(day: string): number {
  const match = DAY.exec(day);
  const number = match
    ? Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) / 1000 / DAY_S
    : NaN;
  if (!Number.isInteger(number) || dayOf(number) !== day) throw new RangeError(`not a day: ${day}`);
  return number;
}

function dayOf(number: number): string {
  return new Date(number * DAY_S * 1000).toISOString().slice(0, 10);
}

export function isDay(day: string): boolean {
  try {
    dayNumber(day);
    return true;
  } catch {
    return false;
  }
}

export function addDays(day: string, days: number): string {
  return dayOf(dayNumber(day) + days);
}

/** The same day `months` later, or the last of that month where it has no such day. */
export function addMonths(day: string, months: number): string {
  dayNumber(day);
  const [year = 0, month = 0, date = 0] = day.split('-').map(Number);
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0));
  last.setUTCDate(Math.min(date, last.getUTCDate()));
  return last.toISOString().slice(0, 10);
}

/** Monday of the day's week (ISO 8601). */
export function weekStart(day: string): string {
  const number = dayNumber(day);
  return dayOf(number - ((number + 3) % 7));
}

export function monthStart(day: string): string {
  dayNumber(day);
  return `${day.slice(0, 7)}-01`;
}

/** The first instant of a local day: midnight, or the first after it where a zone skips midnight. */
export function dayStart(day: string, zone: string): number {
  const utc = dayNumber(day) * DAY_S;
  // Zones lie within 14 hours of UTC: the day begins in here.
  let before = utc - 15 * 3600;
  let within = utc + 15 * 3600;
  while (within - before > 1) {
    const middle = Math.floor((before + within) / 2);
    if (localDay(middle, zone) < day) before = middle;
    else within = middle;
  }
  return within;
}
