// The one door to /api/v1: typed calls, problems as errors, 401 told to whoever listens.  No state, no retry.

import type { Configuration, NewSetting } from './config_types';
import type { GatewayRow } from './gateway_types';
import type { MeterFaces } from './lcd';
import type * as N from './notify_types';
import type * as T from './types';
import { uuid4 } from './uuid';

const BASE = '/api/v1';

/** What the server answered instead of what was asked (RFC 9457), or that it could not be reached (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly type = 'about:blank',
  ) {
    super(detail || title);
    this.name = 'Problem';
  }
}

let onSignedOut: () => void = () => undefined;

/** Who is told when the server says that the session has ended. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

type Parameters = Record<string, string | number | undefined>;

/** A path below /api/v1 with its query; undefined and empty parameters are left out. */
export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(key, String(value));
  }
  const text = query.toString();
  return `${BASE}${path}${text ? `?${text}` : ''}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Record<string, unknown>;
    return new Problem(
      response.status,
      text(body['title']) || response.statusText,
      text(body['detail']),
      text(body['type']) || 'about:blank',
    );
  } catch {
    return new Problem(response.status, response.statusText, '');
  }
}

interface Options {
  parameters?: Parameters;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

async function call<R>(method: string, path: string, options: Options = {}): Promise<R> {
  const init: RequestInit = {
    method,
    credentials: 'same-origin',
    headers: { Accept: 'application/json', ...options.headers },
  };
  if (options.signal) init.signal = options.signal;
  if (options.body !== undefined) {
    init.body = JSON.stringify(options.body);
    init.headers = { ...init.headers, 'Content-Type': 'application/json' };
  }
  let response: Response;
  try {
    response = await fetch(address(path, options.parameters), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, 'unreachable', '');
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401 && path !== '/session') onSignedOut();
    throw problem;
  }
  if (response.status === 204) return undefined as R;
  return (await response.json()) as R;
}

type Id = string | number;
const part = (id: Id): string => encodeURIComponent(String(id));

export interface AlarmsAsked {
  state: T.AlarmFilter;
  severity?: T.Severity | undefined;
  alarm?: string | undefined;
  meter?: Id | undefined;
}

export const api = {
  session: () => call<T.Session>('GET', '/session'),
  signIn: (name: string, password: string) =>
    call<T.Session>('POST', '/session', { body: { name, password } }),
  signOut: () => call<unknown>('DELETE', '/session'),
  catalogue: () => call<T.Catalogue>('GET', '/catalogue'),
  fleet: () => call<T.Fleet>('GET', '/fleet'),
  meters: (search: string, lost: boolean, after: string | null, limit: number, signal?: AbortSignal) =>
    call<T.Page<T.MeterRow>>('GET', '/meters', {
      parameters: {
        search,
        needs_readmission: lost ? 'true' : undefined,
        after: after ?? undefined,
        limit,
      },
      signal,
    }),
  meter: (id: Id) => call<T.Meter>('GET', `/meters/${part(id)}`),
  profile: (id: Id, from_s: number, to_s: number, signal?: AbortSignal) =>
    call<T.Profile>('GET', `/meters/${part(id)}/profile`, {
      parameters: { from: iso(from_s), to: iso(to_s) },
      signal,
    }),
  face: (id: Id) => call<MeterFaces>('GET', `/meters/${part(id)}/face`),
  lorawan: (id: Id) => call<T.Lorawan>('GET', `/meters/${part(id)}/lorawan`),
  /** `key` as for a command. */
  readmit: (id: Id, key: string = uuid4()) =>
    call<T.Lorawan>('POST', `/meters/${part(id)}/lorawan/readmit`, {
      body: {},
      headers: { 'Idempotency-Key': key },
    }),
  configuration: (id: Id) => call<Configuration>('GET', `/meters/${part(id)}/configuration`),
  /** Says what shall be: the same again changes nothing. */
  configure: (id: Id, settings: NewSetting[]) =>
    call<Configuration>('PUT', `/meters/${part(id)}/configuration`, { body: { settings } }),
  events: (id: Id) => call<{ items: T.MeterEvent[] }>('GET', `/meters/${part(id)}/events`),
  commands: (id: Id) => call<{ items: T.Command[] }>('GET', `/meters/${part(id)}/commands`),
  /** `key` is made once per intention: the same key sent again does nothing twice. */
  command: (id: Id, kind: T.CommandKind, reason: string, key: string = uuid4()) =>
    call<T.Command>('POST', `/meters/${part(id)}/commands`, {
      body: { kind, reason },
      headers: { 'Idempotency-Key': key },
    }),
  cancel: (id: Id) =>
    call<T.Command>('POST', `/commands/${part(id)}/cancel`, {
      body: {},
      headers: { 'Idempotency-Key': uuid4() },
    }),
  alarms: (asked: AlarmsAsked, after: string | null, limit: number, signal?: AbortSignal) =>
    call<T.AlarmPage>('GET', '/alarms', {
      parameters: { ...asked, after: after ?? undefined, limit },
      signal,
    }),
  /** `key` as for a command. */
  acknowledge: (id: Id, note: string, key: string = uuid4()) =>
    call<T.AlarmRow>('POST', `/alarms/${part(id)}/acknowledge`, {
      body: { note },
      headers: { 'Idempotency-Key': key },
    }),
  incidents: (signal?: AbortSignal) =>
    call<{ items: N.Incident[] }>('GET', '/incidents', { parameters: { limit: 50 }, signal }),
  incident: (id: Id, signal?: AbortSignal) =>
    call<N.IncidentDetail>('GET', `/incidents/${part(id)}`, { signal }),
  targets: (signal?: AbortSignal) => call<{ items: N.Target[] }>('GET', '/targets', { signal }),
  /** `key` as for a command. */
  addTarget: (target: N.NewTarget, key: string = uuid4()) =>
    call<N.Target & { secret: string }>('POST', '/targets', {
      body: target,
      headers: { 'Idempotency-Key': key },
    }),
  removeTarget: (id: Id) => call<undefined>('DELETE', `/targets/${part(id)}`),
  testTarget: (id: Id) =>
    call<undefined>('POST', `/targets/${part(id)}/test`, { headers: { 'Idempotency-Key': uuid4() } }),
  messages: (state: N.MessageState | '', signal?: AbortSignal) =>
    call<N.Messages>('GET', '/messages', { parameters: { state, limit: 100 }, signal }),
  resend: (id: Id) =>
    call<N.Message>('POST', `/messages/${part(id)}/resend`, { headers: { 'Idempotency-Key': uuid4() } }),
  gateways: (after: string | null, limit: number, signal?: AbortSignal) =>
    call<T.Page<GatewayRow>>('GET', '/gateways', {
      parameters: { after: after ?? undefined, limit },
      signal,
    }),
  models: () => call<{ items: { name: string; title: string }[] }>('GET', '/models'),
  datasheet: (model: string, signal?: AbortSignal) =>
    call<T.Datasheet>('GET', `/models/${part(model)}/datasheet`, { signal }),
  billMonths: () => call<{ items: string[] }>('GET', '/bills/months'),
  bills: (month: string, after: string | null, limit: number, signal?: AbortSignal) =>
    call<T.Page<T.BillRow>>('GET', '/bills', {
      parameters: { month, after: after ?? undefined, limit },
      signal,
    }),
  bill: (id: Id) => call<T.Bill>('GET', `/bills/${part(id)}`),
  lineIntervals: (id: Id, n: number) =>
    call<T.LineIntervals>('GET', `/bills/${part(id)}/lines/${n}/intervals`),
};

/** An instant as the API takes it: ISO 8601, UTC, whole seconds. */
export function iso(at_s: number): string {
  return new Date(at_s * 1000).toISOString().replace('.000Z', 'Z');
}
