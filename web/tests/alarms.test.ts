import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { en } from '../src/i18n/en';
import { id } from '../src/i18n/id';
import { alarmName, alarmValue, FILTERS, lasted, oneOf } from '../src/lib/alarms';
import { badge, countAlarms } from '../src/lib/badge.svelte';
import { eventText } from '../src/lib/events';
import { href, parse } from '../src/lib/route';
import type { AlarmKind, AlarmRow } from '../src/lib/types';
import Acknowledge from '../src/parts/Acknowledge.svelte';
import AlarmLine from '../src/parts/AlarmLine.svelte';

const kind = (name: string, unit: string | null, scaler = 0): AlarmKind => ({
  name,
  severity: 'medium',
  label_en: 'Magnetic disturbance',
  label_id: 'Gangguan magnet',
  unit,
  scaler,
});
const ALARM: AlarmRow = {
  id: 5,
  meter_id: 7,
  serial: 'NYA7',
  customer: 'Sari Wijaya',
  site: 'Rusun Kemayoran',
  alarm: 'magnet',
  severity: 'medium',
  raised_s: 1000,
  value: 120,
  source: 'event',
  received_s: 1003,
  cleared_s: null,
  acknowledged_s: null,
  acknowledged_by: null,
  note: null,
};
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
const find = (name: string): HTMLElement | null => document.querySelector(`[data-testid="${name}"]`);
const answer = (status: number, body: unknown): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' },
  });

let page: Record<string, unknown> | null = null;
afterEach(() => {
  if (page) void unmount(page);
  page = null;
  vi.unstubAllGlobals();
});

test('a value has the resolution and the unit of its kind', () => {
  expect(plain(alarmValue(120, kind('magnet', 'mT'), 'en'))).toBe('120 mT');
  expect(plain(alarmValue(305, kind('battery', 'V', -2), 'id'))).toBe('3,05 V');
  expect(plain(alarmValue(76, kind('hot', 'C'), 'en'))).toBe('76 °C');
  expect(alarmValue(43, kind('factor', '1', -2), 'en')).toBe('0.43');
  expect(alarmValue(1, kind('cover', null), 'en')).toBe('');
  expect(alarmValue(null, kind('magnet', 'mT'), 'en')).toBe('');
  expect(alarmValue(1, undefined, 'en')).toBe('');
});

test('an unknown kind keeps its name', () => {
  expect(alarmName(undefined, 'en', 'flood')).toBe('flood');
  expect(alarmName(kind('magnet', 'mT'), 'id')).toBe('Gangguan magnet');
});

test('an alarm lasts until its end, or until now', () => {
  expect([lasted(ALARM, 1060), lasted({ ...ALARM, cleared_s: 1010 }, 9999), lasted(ALARM, 0)]).toEqual([
    60, 10, 0,
  ]);
});

test('an event of an alarm says which one and its value', () => {
  const kinds = new Map([['magnet', kind('magnet', 'mT')]]);
  const event = { at_s: 0, code: 5, text: 'alarm raised', detail: 1, alarm: 'magnet', value: 120 };
  expect(plain(eventText(event, en, 'en', kinds))).toBe('Alarm: Magnetic disturbance, 120 mT');
  expect(plain(eventText({ ...event, code: 6, value: null }, id, 'id', kinds))).toBe(
    'Alarm berakhir: Gangguan magnet',
  );
});

test('the badge counts all and takes the colour of the most urgent', () => {
  countAlarms({ high: 0, medium: 2, low: 3 });
  expect([badge.total, badge.worst]).toEqual([5, 'medium']);
  countAlarms(undefined);
  expect(badge.total).toBe(5);
  countAlarms({ high: 0, medium: 0, low: 0 });
  expect([badge.total, badge.worst]).toEqual([0, null]);
});

test('the addresses of alarms and models', () => {
  expect(parse(href('alarms', undefined, { state: 'all', meter: '7' })).route).toEqual({ page: 'alarms' });
  expect(parse('#/alarms/7').route).toEqual({ page: 'nowhere' });
  expect(parse('#/models/three-phase?meter=7').route).toEqual({ page: 'model', id: 'three-phase' });
  expect(parse('#/models').route).toEqual({ page: 'nowhere' });
  expect([oneOf(FILTERS, 'all'), oneOf(FILTERS, 'some'), oneOf(FILTERS, null)]).toEqual(['all', '', '']);
});

test('a row offers to acknowledge only where the user may, and nobody has', () => {
  const chosen = vi.fn();
  page = mount(AlarmLine, { target: document.body, props: { alarm: ALARM, acknowledge: chosen } });
  find('acknowledge')?.click();
  expect(chosen).toHaveBeenCalledWith(ALARM);
  void unmount(page);
  page = mount(AlarmLine, { target: document.body, props: { alarm: ALARM, acknowledge: null } });
  expect(find('acknowledge')).toBeNull();
  void unmount(page);
  const seen = { ...ALARM, acknowledged_s: 1010, acknowledged_by: 'ani', note: 'seal checked' };
  page = mount(AlarmLine, { target: document.body, props: { alarm: seen, acknowledge: chosen } });
  expect(find('acknowledge')).toBeNull();
  expect(find('alarm-row')?.textContent).toContain('seal checked');
});

async function confirm(): Promise<void> {
  document.querySelector('form')?.dispatchEvent(new Event('submit', { cancelable: true }));
  await vi.waitFor(() => {
    flushSync();
    expect((find('acknowledge-confirm') as HTMLButtonElement).disabled).toBe(false);
  });
}

test('an acknowledgement carries its note, and the same key when it is tried again', async () => {
  const asked: [string, RequestInit][] = [];
  const answers = [
    answer(503, { title: 'busy', detail: '' }),
    answer(200, { ...ALARM, acknowledged_s: 1010 }),
  ];
  vi.stubGlobal('fetch', (address: string, init: RequestInit) => {
    asked.push([address, init]);
    return Promise.resolve(answers[asked.length - 1]);
  });
  const done = vi.fn();
  page = mount(Acknowledge, { target: document.body, props: { alarm: ALARM, done, close: vi.fn() } });
  flushSync();
  const field = find('acknowledge-note') as HTMLInputElement;
  field.value = ' seal checked ';
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await confirm();
  expect(document.querySelector('[role="alert"]')).not.toBeNull();
  expect(done).not.toHaveBeenCalled();
  await confirm();
  expect(done).toHaveBeenCalledWith({ ...ALARM, acknowledged_s: 1010 });
  const keys = asked.map(([, init]) => (init.headers as Record<string, string>)['Idempotency-Key']);
  expect(keys[0]).toBe(keys[1]);
  expect(asked[1]?.[0]).toBe('/api/v1/alarms/5/acknowledge');
  expect(asked[1]?.[1].body).toBe('{"note":"seal checked"}');
});
