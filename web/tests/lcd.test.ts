/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import Lcd from '../src/parts/Lcd.svelte';
import { isLit, LEDS, SIGNS, type MeterFace } from '../src/lib/lcd';

const DARK: MeterFace = {
  digits: Array<number>(8).fill(0),
  code: Array<number>(7).fill(0),
  signs: [],
  blink: [],
  backlight: false,
  text: '',
  leds: {},
};
const FULL: MeterFace = {
  ...DARK,
  digits: Array<number>(8).fill(0xff),
  code: Array<number>(7).fill(0xff),
  signs: SIGNS.map(([name]) => name),
};

let page: Record<string, unknown> | null = null;

function show(face: MeterFace, label = ''): Element {
  page = mount(Lcd, { target: document.body, props: { face, label } });
  flushSync();
  const svg = document.querySelector('[data-testid="lcd"]');
  if (!svg) throw new Error('no LCD');
  return svg;
}

const names = (svg: Element, selector: string, of: string): string[] =>
  [...svg.querySelectorAll(selector)].map((each) => each.getAttribute(of) ?? '');

beforeEach(() => {
  document.body.innerHTML = '';
});
afterEach(async () => {
  if (page) await unmount(page);
  page = null;
});

test("the replica has every sign of the meter's glass, with its mark", () => {
  const table = readFileSync('../src/nyala/meter/display/segments.csv', 'utf8');
  const rows = table.trim().split('\n').slice(1);
  const known = new Map(SIGNS.map(([name, mark]) => [name, mark]));
  for (const row of rows) {
    const [name = '', , mark] = row.split(',');
    expect([name, known.get(name)]).toEqual([name, mark]);
  }
  expect(known.size).toBe(rows.length);
});

test('the full-segment test lights every segment and every sign', () => {
  const svg = show(FULL);
  expect(svg.querySelectorAll('[data-segment]').length).toBe(8 * 15);
  expect(svg.querySelectorAll('[data-segment]:not(.lit)').length).toBe(0);
  expect(svg.querySelectorAll('[data-sign]:not(.lit)').length).toBe(0);
});

test('a dark display lights nothing', () => {
  const svg = show(DARK);
  expect(svg.querySelectorAll('.lit').length).toBe(0);
  expect(names(svg, '[data-led]', 'data-mode')).toEqual(LEDS.map(() => 'off'));
});

test('a register is read in segments and in words', () => {
  const face = {
    ...DARK,
    digits: [0, 0, 0, 0, 0, 0, 0x06, 0xdb],
    code: [0, 0, 0, 0, 0x86, 0xff, 0x3f],
    signs: ['kilo', 'watt', 'hour', 'l1', 'l2'],
    blink: ['l2'],
    text: '1.8.0 12. kWh',
  };
  const svg = show(face, 'NYA7');
  expect(svg.getAttribute('aria-label')).toBe('NYA7: 1.8.0 12. kWh');
  expect(names(svg, '.lit[data-segment^="digit"]', 'data-segment')).toEqual([
    'digit7b',
    'digit7c',
    'digit8a',
    'digit8b',
    'digit8d',
    'digit8e',
    'digit8g',
    'digit8p',
  ]);
  expect(names(svg, '.lit[data-sign]', 'data-sign').sort()).toEqual([...face.signs].sort());
  expect(names(svg, '.blink', 'data-sign')).toEqual(['l2']);
});

test('LEDs do what the meter says of them', () => {
  const svg = show({
    ...DARK,
    leds: { alarm_1: 'fast', alarm_2: 'fast', active_pulse: 'on', system: 'flash' },
  });
  expect(names(svg, '[data-led]', 'data-mode')).toEqual(['fast', 'fast', 'on', 'off', 'flash', 'off']);
});

test('the light behind the glass is seen', () => {
  expect(show({ ...DARK, backlight: true }).querySelector('.backlight')).not.toBeNull();
});

test('a mask is bits', () => {
  expect([0, 1, 7].map((segment) => isLit(0x82, segment))).toEqual([false, true, true]);
});
