import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import { completenessCsv, shade, spanOf, totals } from '../src/lib/completeness';
import { labels, outline, round, siteMap } from '../src/lib/map';
import type { CompletenessLine, Site } from '../src/lib/place_types';
import HeatStrip from '../src/parts/HeatStrip.svelte';
import SiteMap from '../src/parts/SiteMap.svelte';

const site = (name: string, lat: number | null, lon: number | null, meters = 10): Site => ({
  site: name,
  lat,
  lon,
  meters,
  meters_on: meters,
});
const JAKARTA = [site('West', -6.2, 106.8), site('East', -6.2, 106.9), site('North', -6.1, 106.85, 40)];

let page: Record<string, unknown> | null = null;
afterEach(() => {
  if (page) void unmount(page);
  page = null;
});

test('north is up, east is right, and every dot lies on the map', () => {
  const map = siteMap(JAKARTA, 600, 300);
  const at = Object.fromEntries((map?.dots ?? []).map((dot) => [dot.site.site, dot]));
  expect(at['West']?.x).toBeLessThan(at['East']?.x ?? 0);
  expect(at['North']?.y).toBeLessThan(at['West']?.y ?? 0);
  for (const { x, y, r } of map?.dots ?? []) {
    expect(x - r >= 0 && x + r <= 600 && y - r >= 0 && y + r <= 300).toBe(true);
  }
  expect(map?.dots[0]?.site.site).toBe('North'); // the largest lies below the others
});

test('the scale is as long as it says', () => {
  const map = siteMap(JAKARTA, 600, 300);
  const at = Object.fromEntries((map?.dots ?? []).map((dot) => [dot.site.site, dot]));
  const metres = 0.1 * 111_320 * Math.cos((6.15 * Math.PI) / 180); // West to East
  const length = (at['East']?.x ?? 0) - (at['West']?.x ?? 0);
  expect((map?.scale.length ?? 0) / (map?.scale.metres ?? 1)).toBeCloseTo(length / metres, 6);
});

test('a scale is a round number', () => {
  expect([1, 1.9, 2, 4.9, 5, 9.9, 10, 7_300].map(round)).toEqual([1, 1, 2, 2, 5, 5, 10, 5_000]);
});

test('one site alone is in the middle, sites without a place are left out, none make no map', () => {
  expect(siteMap([site('A', 0, 0), site('B', null, null)], 400, 200)?.dots).toMatchObject([
    { x: 200, y: 100 },
  ]);
  expect(siteMap([site('B', null, null)], 400, 200)).toBeNull();
});

test('the date line does not tear a map apart', () => {
  const map = siteMap([site('A', 0, 179.99), site('B', 0, -179.99)], 400, 200);
  const [a, b] = ['A', 'B'].map((name) => map?.dots.find((dot) => dot.site.site === name)?.x ?? 0);
  expect((b ?? 0) - (a ?? 0)).toBeGreaterThan(0);
  expect(map?.scale.metres).toBeLessThan(5_000);
});

test('an outline goes around its points and leaves those inside out', () => {
  const corners = [
    { x: 0, y: 0 },
    { x: 10, y: 0 },
    { x: 10, y: 10 },
    { x: 0, y: 10 },
  ];
  const path = outline([...corners, { x: 5, y: 5 }]);
  for (const { x, y } of corners) expect(path).toContain(`${x.toFixed(1)} ${y.toFixed(1)}`);
  expect(path).not.toContain('5.0 5.0');
  expect(outline([{ x: 3, y: 4 }])).toBe('M3.0 4.0Z');
  expect(outline([])).toBe('');
});

const LINE: CompletenessLine = {
  key: 'Kota',
  name: 'Kota',
  meters: 2,
  silent: 1,
  expected: [192, 192, 192, 0],
  received: [192, 190, 20, 0],
  estimated: [0, 0, 50, 0],
  missing: 124,
};
const DAYS = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04'];

test('only what is whole has the first shade, and nothing expected has none', () => {
  expect(DAYS.map((_, day) => shade(LINE, day))).toEqual([0, 2, 5, null]);
  expect(totals(LINE)).toEqual({ expected: 576, received: 402, estimated: 50, missing: 124 });
});

test('a span ends with its day', () => {
  expect(spanOf('2026-11-03', 7)).toEqual({ from: '2026-10-28', to: '2026-11-03' });
});

test('the file has a row for each line and day, and no formula', () => {
  const csv = completenessCsv({ by: 'site', days: DAYS, lines: [{ ...LINE, name: '=1+1' }], total: 1 });
  const rows = csv.trimEnd().split('\r\n');
  expect(rows[0]).toBe('site,meters,silent,day_utc,expected,received,estimated,missing');
  expect(rows[3]).toBe("'=1+1,2,1,2026-11-03,192,20,50,122");
  expect(rows).toHaveLength(5);
});

test('names do not lie on each other and stay on the map', () => {
  const dots = siteMap([...JAKARTA, site('West too', -6.2001, 106.8001, 5)], 600, 300)?.dots ?? [];
  const found = labels(dots, 600);
  expect(found.map(({ name }) => name).sort()).toEqual(['East', 'North', 'West']);
  expect(found.find(({ name }) => name === 'East')?.end).toBe(false);
  expect(labels([{ site: site('At the edge', 0, 0), x: 590, y: 9, r: 5 }], 600)[0]?.end).toBe(true);
});

test('an incident is drawn where its sites are, and what is over is not red', () => {
  const hit = [site('West', -6.2, 106.8), { ...site('East', -6.2, 106.9), meters_on: 0 }];
  page = mount(SiteMap, { target: document.body, props: { sites: JAKARTA, hit } });
  flushSync();
  const dots = [...document.querySelectorAll('[data-testid="map-dot"]')];
  expect(dots).toHaveLength(3);
  expect(document.querySelectorAll('circle.struck')).toHaveLength(1);
  expect(document.querySelectorAll('circle.over')).toHaveLength(1);
  expect(document.querySelector('[data-testid="map-area"]')?.getAttribute('d')).toMatch(/^M/);
  expect(document.querySelector('circle.struck title')?.textContent).toContain('West: 10 of 10');
});

test('a strip says of each day what is missing', () => {
  page = mount(HeatStrip, { target: document.body, props: { line: LINE, days: DAYS } });
  flushSync();
  const cells = [...document.querySelectorAll('i[data-shade]')];
  expect(cells.map((cell) => cell.getAttribute('data-shade'))).toEqual(['0', '2', '5', 'none']);
  expect(cells[2]?.getAttribute('title')).toContain('122 missing');
});
