// What an event says in the language of the screen.  The codes are those of the telegram; an unknown one keeps the server's words.

import type { Messages } from '../i18n/en';
import { alarmName, alarmValue, type AlarmKinds } from './alarms';
import { integer } from './number';
import { duration } from './time';
import type { Lang, MeterEvent } from './types';

type Detail = (value: number, lang: Lang) => string;

/** What the detail of a code means. */
const DETAILS: Record<string, Detail> = {
  1: duration,
  4: (value, lang) => `${integer(value, lang)} ms`,
};

/** `kinds`: the alarm table, for events that speak of an alarm. */
export function eventText(event: MeterEvent, t: Messages, lang: Lang, kinds: AlarmKinds = new Map()): string {
  const code = String(event.code);
  const name = t.events.names[code] ?? event.text;
  const kind = event.alarm ? kinds.get(event.alarm) : undefined;
  if (kind) {
    const said = [alarmName(kind, lang), alarmValue(event.value ?? null, kind, lang)];
    return `${name}: ${said.filter(Boolean).join(', ')}`;
  }
  const detail = DETAILS[code];
  return detail && typeof event.detail === 'number' && event.detail > 0
    ? `${name} (${detail(event.detail, lang)})`
    : name;
}
