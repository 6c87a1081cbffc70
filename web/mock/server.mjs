// The API of DESIGN.md as a mock, for developing the portal without the rest: `npm run mock`, then `npm run dev`.
// Any name with the password `nyala` signs in.  `--static DIR` serves a built portal as well.  No part of the product.

import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import * as bills from './bills.mjs';
import * as blocks from './blocks.mjs';
import * as alarms from './alarms.mjs';
import { alarms as alarmKinds, qualities, quantities } from './catalogue.mjs';
import * as campaigns from './campaigns.mjs';
import * as commands from './commands.mjs';
import * as configuration from './configuration.mjs';
import * as face from './face.mjs';
import * as groups from './groups.mjs';
import * as lives from './lives.mjs';
import * as lorawan from './lorawan.mjs';
import * as models from './models.mjs';
import * as gateways from './gateways.mjs';
import * as places from './places.mjs';
import { event, fleet, meter, meters, switches } from './meters.mjs';
import * as w from './world.mjs';

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const PORT = Number(argument('--port', 5181));
const STATIC = argument('--static', '');
const SLOW_MS = Number(process.env.MOCK_SLOW_MS ?? 0);

const listeners = new Set();
const tell = (name, data, about) => {
  for (const each of listeners)
    if (each.meter === null || each.meter === about)
      each.response.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
};
setInterval(() => {
  tell(
    'fleet',
    {
      heard: fleet().meters.heard + Math.floor(Math.random() * 9),
      uplinks_per_minute: 1640 + Math.random() * 120,
      alarms: alarms.counts(),
    },
    null,
  );
  for (const { meter: i } of listeners) {
    if (i === null) continue;
    const { id, last_heard_s, live, switch: s, registers, alarms: on } = meter(i);
    tell('meter', { id, last_heard_s, live, switch: s, registers, alarms: on }, i);
  }
}, 3000);

class Refused extends Error {
  constructor(status, title, detail) {
    super(title);
    Object.assign(this, { status, body: { type: 'about:blank', title, detail, status } });
  }
}

let user = process.env.MOCK_SIGNED_IN ? 'operator' : null;
const VIEW = ['fleet.read', 'meters.read', 'commands.read', 'alarms.read', 'bills.read'];
const ACT = Object.entries({
  commands: ['read_now', 'switch', 'reset_demand', 'order_many', 'approve'],
  meters: ['manage', 'readmit', 'configure'],
  alarms: ['acknowledge'],
  blocks: ['send'],
}).flatMap(([room, words]) => words.map((word) => `${room}.${word}`));
const session = () => ({
  user: {
    name: user,
    role: 'operator',
    tenant: 'Demo Utility',
    language: 'en',
    permissions: process.env.MOCK_VIEWER ? VIEW : [...VIEW, ...ACT],
  },
});
const issued = new Map();

const ROUTES = [
  ['GET', /^\/session$/, () => session()],
  ['GET', /^\/catalogue$/, () => ({ quantities, qualities, alarms: alarmKinds })],
  ['GET', /^\/fleet$/, () => fleet()],
  ['GET', /^\/gateways$/, () => gateways.page()],
  ['GET', /^\/meters$/, ({ query }) => meters(query)],
  ['GET', /^\/meters\/(\d+)$/, ({ match: [, id] }) => known(id) && meter(Number(id))],
  [
    'GET',
    /^\/meters\/(\d+)\/profile$/,
    ({ match: [, id], query }) => {
      const from = Date.parse(query.get('from')) / 1000;
      const to = Date.parse(query.get('to')) / 1000;
      if (!(to > from && to - from <= 40 * 86_400))
        throw new Refused(400, 'Bad span', 'from and to must lie within 40 days');
      const made = { period_s: w.PERIOD_S, start_s: from, import_wh: [], export_wh: [], quality: [] };
      for (let s = from; s < to; s += w.PERIOD_S) {
        const { imp, exp, quality } = w.interval(Number(id), s, w.nowS());
        made.import_wh.push(imp);
        made.export_wh.push(exp);
        made.quality.push(quality);
      }
      return made;
    },
  ],
  ['GET', /^\/meters\/(\d+)\/face$/, () => face.scroll(w.nowS())],
  [
    'GET',
    /^\/meters\/(\d+)\/events$/,
    () => ({ items: Array.from({ length: 6 }, (_, n) => event(n + 1, w.nowS())) }),
  ],
  [
    'POST',
    /^\/meters\/(\d+)\/commands$/,
    ({ match: [, text], body, request }) => {
      const id = Number(text);
      const key = request.headers['idempotency-key'];
      if (!/^[0-9a-f-]{36}$/.test(key ?? ''))
        throw new Refused(400, 'No idempotency key', 'send Idempotency-Key: <uuid>');
      if (issued.has(key)) return issued.get(key);
      if (!w.modelOf(id).supply_switch && body.kind !== 'read')
        throw new Refused(409, 'No switch', 'this model has no supply switch');
      const done = () => {
        if (body.kind !== 'read') switches.set(id, body.kind === 'switch_open' ? 'open' : 'closed');
      };
      const made = commands.issue(
        id,
        body.kind,
        body.reason,
        user,
        (command) => tell('command', command, id),
        done,
      );
      issued.set(key, made);
      return made;
    },
  ],
  [
    'POST',
    /^\/commands\/(\w+)\/cancel$/,
    ({ match: [, id] }) => {
      const command = commands.cancel(id, (each) => tell('command', each, each.meter_id));
      if (!command) throw new Refused(409, 'Too late', 'the command has left already');
      return command;
    },
  ],
  ['GET', /^\/meters\/(\d+)\/lorawan$/, ({ match: [, id] }) => lorawan.device(Number(id))],
  [
    'POST',
    /^\/meters\/(\d+)\/lorawan\/readmit$/,
    ({ match: [, id] }) => {
      const made = lorawan.readmit(Number(id), user);
      if (!made) throw new Refused(409, 'Conflict', 'the meter needs no re-admission');
      return made;
    },
  ],
  ...[alarms, blocks, campaigns, commands, configuration, groups, lives, places].flatMap(
    ({ routes }) => routes,
  ),
  ['GET', /^\/alarms$/, ({ query }) => alarms.page(query)],
  [
    'POST',
    /^\/alarms\/(\d+)\/acknowledge$/,
    ({ match: [, id], body, request }) => {
      const made = alarms.acknowledge(Number(id), body.note, user, request.headers['idempotency-key']);
      if (!made) throw new Refused(409, 'Conflict', 'the alarm was acknowledged already');
      tell('alarm', { meter_id: made.meter_id }, made.meter_id);
      return made;
    },
  ],
  ['GET', /^\/models$/, () => models.list()],
  ['GET', /^\/models\/([\w-]+)\/datasheet$/, ({ match: [, name] }) => models.datasheet(name) ?? missing()],
  ['GET', /^\/bills\/months$/, () => ({ items: bills.months() })],
  [
    'GET',
    /^\/bills$/,
    ({ query }) => bills.page(query.get('month'), query.get('after'), Number(query.get('limit') ?? 100)),
  ],
  ['GET', /^\/bills\/([\w-]+)$/, ({ match: [, id] }) => bills.bill(id) ?? missing()],
  ['GET', /^\/bills\/([\w-]+)\/lines\/\d+\/intervals$/, ({ match: [, id] }) => bills.intervals(id)],
];

function missing() {
  throw new Refused(404, 'Not found', 'there is no such thing');
}
const known = (id) => Number(id) < w.COUNT || missing();

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

function serveFile(path, response) {
  const file = join(STATIC, normalize(path === '/' ? '/index.html' : path));
  if (!STATIC || !existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, {
    'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream',
    'Content-Security-Policy': "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
  });
  return createReadStream(file).pipe(response);
}

async function answer(request, response) {
  const url = new URL(request.url, 'http://mock');
  if (!url.pathname.startsWith('/api/v1/')) return serveFile(url.pathname, response);
  const path = url.pathname.slice(7);
  const send = (status, body) =>
    response
      .writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json' })
      .end(body === undefined ? '' : JSON.stringify(body));
  let text = '';
  for await (const piece of request) text += piece;
  const body = text ? JSON.parse(text) : {};
  if (SLOW_MS) await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  try {
    if (path === '/session' && request.method === 'POST') {
      if (body.password !== 'nyala') throw new Refused(401, 'Unauthorized', 'name or password is wrong');
      user = body.name;
      return send(200, session());
    }
    if (user === null) throw new Refused(401, 'Unauthorized', 'sign in first');
    if (path === '/session' && request.method === 'DELETE') {
      user = null;
      return send(204);
    }
    if (path === '/live') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      const mine = {
        meter: url.searchParams.has('meter') ? Number(url.searchParams.get('meter')) : null,
        response,
      };
      listeners.add(mine);
      response.write(': hello\n\n');
      return request.socket.on('close', () => listeners.delete(mine));
    }
    for (const [method, pattern, make] of ROUTES) {
      const match = method === request.method && pattern.exec(path);
      if (match)
        return send(method === 'POST' ? 201 : 200, make({ match, query: url.searchParams, body, request }));
    }
    return missing();
  } catch (error) {
    if (!(error instanceof Refused)) console.error(error);
    return send(error.status ?? 500, error.body ?? { title: 'Internal', detail: String(error), status: 500 });
  }
}

createServer((request, response) => void answer(request, response)).listen(PORT, '127.0.0.1', () =>
  console.log(`mock API on http://localhost:${PORT}`),
);
