import { afterEach, expect, test, vi } from 'vitest';
import { address, api, iso, Problem, whenSignedOut } from '../src/lib/api';
import { href, parse, withQuery } from '../src/lib/route';
import { uuid4 } from '../src/lib/uuid';

interface Sent {
  url: string;
  init: RequestInit;
}

/** A server that gives one answer and remembers what it was sent. */
function answering(status: number, body: unknown, type = 'application/json'): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    sent.push({ url, init });
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return Promise.resolve(
      new Response(status === 204 ? null : text, { status, headers: { 'Content-Type': type } }),
    );
  });
  return sent;
}

afterEach(() => {
  vi.unstubAllGlobals();
  whenSignedOut(() => undefined);
});

test('a problem says what the server said', async () => {
  answering(
    409,
    { type: 't', title: 'Conflict', detail: 'this meter has no switch', status: 409 },
    'application/problem+json',
  );
  const failed = api.command(5, 'switch_open', 'because');
  await expect(failed).rejects.toMatchObject({
    status: 409,
    title: 'Conflict',
    detail: 'this meter has no switch',
  });
});

test('an answer that is no problem document is a problem all the same', async () => {
  answering(502, '<html>bad gateway</html>', 'text/html');
  await expect(api.fleet()).rejects.toMatchObject({ status: 502, detail: '' });
});

test('a server that is not there is a problem of its own', async () => {
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
  await expect(api.fleet()).rejects.toBeInstanceOf(Problem);
  await expect(api.fleet()).rejects.toMatchObject({ status: 0 });
});

test('a session that has ended is told, a wrong password is not', async () => {
  const ended = vi.fn();
  whenSignedOut(ended);
  answering(401, { title: 'Unauthorized', detail: '', status: 401 });
  await expect(api.signIn('a', 'b')).rejects.toMatchObject({ status: 401 });
  expect(ended).not.toHaveBeenCalled();
  await expect(api.fleet()).rejects.toMatchObject({ status: 401 });
  expect(ended).toHaveBeenCalledOnce();
});

test('a command carries its idempotency key, the same when it is sent again', async () => {
  const sent = answering(201, {});
  const key = uuid4();
  await api.command('m/1', 'switch_open', 'overdue', key);
  await api.command('m/1', 'switch_open', 'overdue', key);
  expect(sent.map(({ url }) => url)).toEqual(Array(2).fill('/api/v1/meters/m%2F1/commands'));
  expect(sent.map(({ init }) => new Headers(init.headers).get('Idempotency-Key'))).toEqual([key, key]);
  expect(sent[0]?.init.body).toBe('{"kind":"switch_open","reason":"overdue"}');
});

test('signing out needs no body', async () => {
  answering(204, '');
  await expect(api.signOut()).resolves.toBeUndefined();
});

test('addresses leave out what is empty and escape the rest', async () => {
  expect(address('/meters', { search: '', after: undefined, limit: 100 })).toBe('/api/v1/meters?limit=100');
  const sent = answering(200, { items: [], next: null, total: 0 });
  await api.meters({ search: 'a & b' }, null, 5);
  expect(sent[0]?.url).toBe('/api/v1/meters?search=a+%26+b&limit=5');
});

test('instants are ISO in UTC', () => {
  expect(iso(1_795_528_800)).toBe('2026-11-24T14:00:00Z');
});

test('identifiers are version 4 and all different', () => {
  const made = Array.from({ length: 200 }, uuid4);
  expect(new Set(made).size).toBe(200);
  for (const each of made)
    expect(each).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('every address that is made is understood', () => {
  expect(parse(href('meters', 'a/b?c')).route).toEqual({ page: 'meter', id: 'a/b?c' });
  expect(parse(href('bills', '2026-10-3', { month: '2026-10' })).query.get('month')).toBe('2026-10');
  expect(parse('').route).toEqual({ page: 'fleet' });
  expect(parse('#/').route).toEqual({ page: 'fleet' });
});

test.each(['#/nothing', '#/meters/1/2', '#/fleet/1', '#/constructor', '#/__proto__'])(
  '%s is no page',
  (hash) => {
    expect(parse(hash).route).toEqual({ page: 'nowhere' });
  },
);

test('an address that cannot be decoded does not break the page', () => {
  expect(parse('#/meters/%E0%A4%A').route.page).toBe('meters');
});

test('the query changes in place', () => {
  expect(withQuery('#/meters/1?range=week', { day: '2026-11-01', range: '' })).toBe(
    '#/meters/1?day=2026-11-01',
  );
  expect(withQuery('', { month: '2026-10' })).toBe('#/?month=2026-10');
});
