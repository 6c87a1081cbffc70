// What no other test would notice: host names in the lock file, colours that cannot be read.
import { expect, test } from 'vitest';
import css from '../src/app.css?raw';
import lock from '../package-lock.json?raw';

test('the lock file holds no host name', () => {
  expect(lock).not.toMatch(/https?:|"resolved"|"funding"/);
  expect(lock.match(/"[^"]*\b[a-z0-9-]+\.(com|org|net|io|dev)\b[^"]*"/g) ?? []).toEqual([]);
});

function tokens(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf('\n}', start));
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((match) => [match[1], match[2]]),
  );
}

function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const light = tokens(':root');
const dark = { ...light, ...tokens(":root[data-theme='dark']") };

/** Text on ground: 4.5 to 1 (WCAG 2.2, 1.4.3).  Bars on a card: 3 to 1 (1.4.11). */
const TEXT: [string, string][] = [
  ...['ink', 'ink-2', 'ink-3'].flatMap((text): [string, string][] =>
    ['bg', 'card', 'sunk'].map((on) => [text, on]),
  ),
  ...['good', 'warn', 'bad'].flatMap((text): [string, string][] => [
    [text, `${text}-soft`],
    [text, 'card'],
  ]),
  ['action', 'card'],
  ['action', 'bg'],
  ['action', 'action-soft'],
  ['action-ink', 'action'],
  ['warn', 'sunk'],
  ['rail-ink', 'rail'],
  ['rail-ink-2', 'rail'],
];
const SHAPES: [string, string][] = [
  ['import', 'card'],
  ['export', 'card'],
  ['missing', 'card'],
];

test.each([
  ['light', light],
  ['dark', dark],
])('in the %s theme every text can be read and every bar be seen', (_, theme) => {
  const of = (name: string): string => theme[name] ?? expect.unreachable(`no token --${name}`);
  for (const [text, ground] of TEXT) {
    expect(contrast(of(text), of(ground)), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
  }
  for (const [shape, ground] of SHAPES) {
    expect(contrast(of(shape), of(ground)), `${shape} on ${ground}`).toBeGreaterThanOrEqual(3);
  }
});
