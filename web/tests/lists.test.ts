import { expect, test } from 'vitest';
import { Problem } from '../src/lib/api';
import { profileCsv, row } from '../src/lib/csv';
import { byDay, highest, paths } from '../src/lib/intervals';
import { Pages } from '../src/lib/pages.svelte';
import { registerGroups } from '../src/lib/registers';
import { Resource } from '../src/lib/resource.svelte';
import type { Page, Quality } from '../src/lib/types';
import { visible } from '../src/lib/window';

test('only the rows in view and a few spare ones are drawn, of a list of any length', () => {
  expect(visible(0, 800, 40, 100_000, 10)).toEqual({ first: 0, end: 30 });
  expect(visible(4_000, 800, 40, 100_000, 10)).toEqual({ first: 90, end: 130 });
  expect(visible(9e9, 800, 40, 50, 10)).toEqual({ first: 50, end: 50 });
  expect(visible(-200, 800, 40, 5, 10)).toEqual({ first: 0, end: 5 });
});

test('a row without height is refused', () => {
  expect(() => visible(0, 800, 0, 5, 1)).toThrow(RangeError);
});

/** A server of `count` numbers in pages of two, which remembers what it was asked. */
function server(count: number) {
  const asked: (string | null)[] = [];
  const ask = (after: string | null): Promise<Page<number>> => {
    asked.push(after);
    const first = after === null ? 0 : Number(after) + 1;
    const items = [first, first + 1].filter((each) => each < count);
    const last = items.at(-1) ?? 0;
    return Promise.resolve({ items, next: last + 1 < count ? String(last) : null, total: count });
  };
  return { ask, asked };
}

test('pages are asked for one after the other, each once, up to the last', async () => {
  const { ask, asked } = server(5);
  const pages = new Pages<number>();
  await pages.open(ask);
  await Promise.all([pages.more(), pages.more()]);
  await pages.more();
  await pages.more();
  expect(pages.items).toEqual([0, 1, 2, 3, 4]);
  expect(asked).toEqual([null, '1', '3']);
  expect(pages.complete).toBe(true);
});

test('a late answer to an old search is dropped', async () => {
  const pages = new Pages<string>();
  let answerOld: (page: Page<string>) => void = () => undefined;
  const old = pages.open(() => new Promise((resolve) => (answerOld = resolve)));
  await pages.open(() => Promise.resolve({ items: ['new'], next: null, total: 1 }));
  answerOld({ items: ['old'], next: null, total: 9 });
  await old;
  expect(pages.items).toEqual(['new']);
  expect(pages.total).toBe(1);
});

test('a page that failed is asked for again from where it failed', async () => {
  const { ask, asked } = server(4);
  const pages = new Pages<number>();
  let broken = false;
  await pages.open((after) => (broken ? Promise.reject(new Problem(503, 'busy', '')) : ask(after)));
  broken = true;
  await pages.more();
  expect(pages.problem?.status).toBe(503);
  await pages.more();
  broken = false;
  await pages.retry();
  expect(pages.items).toEqual([0, 1, 2, 3]);
  expect(asked).toEqual([null, '1']);
});

test('a resource keeps what it had while it fails, and an answer after the end is dropped', async () => {
  const resource = new Resource<number>();
  await resource.load(() => Promise.resolve(1));
  expect(await resource.load(() => Promise.reject(new Problem(500, 'broken', '')))).toBe(false);
  expect([resource.value, resource.problem?.status]).toEqual([1, 500]);
  const late = resource.load(() => Promise.resolve(2));
  resource.clear();
  await late;
  expect([resource.value, resource.problem, resource.loading]).toEqual([null, null, false]);
});

test('a bug of ours is not hidden as a problem of the server', async () => {
  const resource = new Resource<number>();
  await expect(resource.load(() => Promise.reject(new TypeError('ours')))).rejects.toThrow('ours');
});

test('rates stand below their totals; one without its total stands for itself', () => {
  const of = (name: string) => ({ name, value: 1, at_s: 0 });
  const groups = registerGroups([of('import_wh_t2'), of('import_wh'), of('import_wh_t1'), of('q1_varh_t1')]);
  expect(groups.map(({ total, rates }) => [total.name, rates.map(({ name }) => name)])).toEqual([
    ['import_wh', ['import_wh_t1', 'import_wh_t2']],
    ['q1_varh_t1', []],
  ]);
});

test('a billed line splits into local days whose sums are its sum, with marks', () => {
  const raw: Quality = { code: 1, name: 'RAW', label_en: '', label_id: '', estimated: false };
  const qualities = new Map([[1, raw]]);
  const from = Date.parse('2026-10-31T16:00:00Z') / 1000;
  const items = [0, 1, 2, 3, 4, 5].map((n) => ({
    start_s: from + n * 900,
    wh: n === 5 ? null : 10 * n,
    quality: n === 4 ? 6 : 1,
    version: 1,
  }));
  const days = byDay(items, 'Asia/Jakarta', qualities);
  expect(days.map(({ day, sum_wh, items: each }) => [day, sum_wh, each.length])).toEqual([
    ['2026-10-31', 60, 4],
    ['2026-11-01', 40, 2],
  ]);
  expect([...(days[1]?.marks ?? [])]).toEqual([[6, 1]]);
  expect(highest(days)).toBe(40);
  const drawn = paths(
    days[1] ?? { day: '', items: [], sum_wh: 0, marks: new Map<number, number>() },
    40,
    qualities,
  );
  expect(drawn.marked).toContain('M0 1v-1h');
});

test('a file of a profile has both clocks, the primary energy, its unit and the quality', () => {
  const quality: Quality = { code: 1, name: 'RAW', label_en: '', label_id: '', estimated: false };
  const profile = { start_s: 0, period_s: 900, import_wh: [3, null], export_wh: [0, null], quality: [1, 0] };
  const [head, first, second] = profileCsv(profile, 'Asia/Jakarta', new Map([[1, quality]]), [200, 5]).split(
    '\r\n',
  );
  expect(head).toBe('start_utc,end_utc,start_local,zone,import,export,unit,quality');
  expect(first).toBe('1970-01-01T00:00:00Z,1970-01-01T00:15:00Z,1970-01-01 07:00,Asia/Jakarta,120,0,Wh,RAW');
  expect(second).toBe('1970-01-01T00:15:00Z,1970-01-01T00:30:00Z,1970-01-01 07:15,Asia/Jakarta,,,Wh,');
});

test('cells of a file are quoted where they must be, and none is taken for a formula', () => {
  expect(row(['a', 1, null, 'b,c', 'say "x"'])).toBe('a,1,,"b,c","say ""x"""');
  expect(row(['=1+1', '-2', '@x', '+3'])).toBe("'=1+1,'-2,'@x,'+3");
  expect(row([-2])).toBe('-2');
});
