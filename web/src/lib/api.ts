// The one door to /api/v1: what can be asked, with the shapes of the answers; how a request goes is in `http.ts`.

import type * as B from './block_types';
import type * as C from './campaign_types';
import type * as F from './config_types';
import type { GatewayRow } from './gateway_types';
import type { MeterHealth } from './health_types';
import { call, part, type Id } from './http';
import type { MeterFaces } from './lcd';
import type * as L from './life_types';
import type * as N from './notify_types';
import type * as P from './place_types';
import type * as R from './read_types';
import type * as T from './types';
import { uuid4 } from './uuid';

export { address, Problem, whenSignedOut } from './http';

export interface AlarmsAsked {
  state: T.AlarmFilter;
  severity?: T.Severity | undefined;
  alarm?: string | undefined;
  meter?: Id | undefined;
}

export interface MetersAsked {
  search?: string;
  /** Only those that need re-admission. */
  lost?: boolean;
  life?: L.LifeState | undefined;
  group?: number | undefined;
}

export const api = {
  session: () => call<T.Session>('GET', '/session'),
  signIn: (name: string, password: string) =>
    call<T.Session>('POST', '/session', { body: { name, password } }),
  signOut: () => call<unknown>('DELETE', '/session'),
  catalogue: () => call<T.Catalogue>('GET', '/catalogue'),
  fleet: () => call<T.Fleet>('GET', '/fleet'),
  /** Days are UTC days, the last one included. */
  completeness: (asked: P.CompletenessAsked, signal?: AbortSignal) =>
    call<P.CompletenessTable>('GET', '/completeness', { parameters: { ...asked }, signal }),
  sites: (signal?: AbortSignal) => call<{ items: P.Site[] }>('GET', '/sites', { signal }),
  meters: (asked: MetersAsked, after: string | null, limit: number, signal?: AbortSignal) =>
    call<T.Page<T.MeterRow>>('GET', '/meters', {
      parameters: {
        search: asked.search,
        needs_readmission: asked.lost ? 'true' : undefined,
        life: asked.life,
        group: asked.group,
        after: after ?? undefined,
        limit,
      },
      signal,
    }),
  groups: (signal?: AbortSignal) => call<{ items: C.Group[] }>('GET', '/groups', { signal }),
  lookAtGroup: (group: C.NewGroup) => call<C.GroupLooked>('POST', '/groups/look', { body: group }),
  /** Its name makes it happen once. */
  addGroup: (group: C.NewGroup) => call<C.Group>('POST', '/groups', { body: group }),
  templates: (signal?: AbortSignal) => call<{ items: C.Template[] }>('GET', '/templates', { signal }),
  addTemplate: (template: C.Template) => call<C.Template>('POST', '/templates', { body: template }),
  campaigns: (after: number | null, signal?: AbortSignal) =>
    call<C.Cursor<C.Campaign, number>>('GET', '/campaigns', {
      parameters: { after: after ?? undefined },
      signal,
    }),
  campaign: (id: Id, signal?: AbortSignal) => call<C.Campaign>('GET', `/campaigns/${part(id)}`, { signal }),
  campaignMeters: (id: Id, state: C.MemberState | '', after: string, limit: number, signal?: AbortSignal) =>
    call<C.Cursor<C.Member, string>>('GET', `/campaigns/${part(id)}/meters`, {
      parameters: { state, after, limit },
      signal,
    }),
  lookAtCampaign: (asked: C.CampaignAsked, signal?: AbortSignal) =>
    call<C.CampaignLooked>('POST', '/campaigns/look', { body: asked, signal }),
  /** `key` as for a command. */
  orderCampaign: (order: C.NewCampaign, key: string) =>
    call<C.Campaign>('POST', '/campaigns', { body: order, headers: { 'Idempotency-Key': key } }),
  sayCampaign: (id: Id, move: C.CampaignMove, reason: string) =>
    call<C.Campaign>('POST', `/campaigns/${part(id)}/${move}`, { body: { reason } }),
  blocks: (after: number | null, signal?: AbortSignal) =>
    call<C.Cursor<B.BlockCampaign, number>>('GET', '/blocks', {
      parameters: { after: after ?? undefined },
      signal,
    }),
  block: (id: Id, signal?: AbortSignal) => call<B.BlockCampaign>('GET', `/blocks/${part(id)}`, { signal }),
  blockMeters: (id: Id, after: number, limit: number, signal?: AbortSignal) =>
    call<C.Cursor<B.BlockMeter, number>>('GET', `/blocks/${part(id)}/meters`, {
      parameters: { after, limit },
      signal,
    }),
  /** `key` as for a command. */
  sendFirmware: (order: B.NewFirmware, key: string) =>
    call<B.BlockCampaign>('POST', '/blocks/firmware', { body: order, headers: { 'Idempotency-Key': key } }),
  sayBlock: (id: Id, move: B.BlockMove) =>
    call<B.BlockCampaign>('POST', `/blocks/${part(id)}/${move}`, { body: {} }),
  life: (id: Id, signal?: AbortSignal) => call<L.Life>('GET', `/meters/${part(id)}/life`, { signal }),
  sayLife: (id: Id, said: L.LifeSaid) => call<L.Life>('POST', `/meters/${part(id)}/life`, { body: said }),
  lookAtExchange: (id: Id, asked: L.ExchangeAsked, signal?: AbortSignal) =>
    call<L.ExchangeLooked>('POST', `/meters/${part(id)}/exchange/look`, { body: asked, signal }),
  exchange: (id: Id, said: L.NewExchange) =>
    call<L.Life>('POST', `/meters/${part(id)}/exchange`, { body: said }),
  meter: (id: Id) => call<T.Meter>('GET', `/meters/${part(id)}`),
  profile: (id: Id, from_s: number, to_s: number, signal?: AbortSignal) =>
    call<T.Profile>('GET', `/meters/${part(id)}/profile`, {
      parameters: { from: iso(from_s), to: iso(to_s) },
      signal,
    }),
  health: (id: Id) => call<MeterHealth>('GET', `/meters/${part(id)}/health`),
  face: (id: Id) => call<MeterFaces>('GET', `/meters/${part(id)}/face`),
  lorawan: (id: Id) => call<T.Lorawan>('GET', `/meters/${part(id)}/lorawan`),
  /** `key` as for a command. */
  readmit: (id: Id, key: string = uuid4()) =>
    call<T.Lorawan>('POST', `/meters/${part(id)}/lorawan/readmit`, {
      body: {},
      headers: { 'Idempotency-Key': key },
    }),
  configuration: (id: Id) => call<F.Configuration>('GET', `/meters/${part(id)}/configuration`),
  /** The same bytes are no new version: the order may be sent again. */
  configure: (id: Id, settings: F.NewSetting[], reason: string) =>
    call<F.Configuration>('PUT', `/meters/${part(id)}/configuration`, { body: { settings, reason } }),
  configHistory: (id: Id) =>
    call<{ items: F.HistoryItem[] }>('GET', `/meters/${part(id)}/configuration/history`),
  acceptSetting: (id: Id, kind: F.SettingKind, reason: string, key = uuid4()) =>
    call<F.Configuration>('POST', `/meters/${part(id)}/configuration/${kind}/accept`, {
      body: { reason },
      headers: { 'Idempotency-Key': key },
    }),
  configChoices: (signal?: AbortSignal) => call<F.Choices>('GET', '/configuration/choices', { signal }),
  lookAtOrder: (order: F.OrderTarget & { settings: F.NewSetting[] }, signal?: AbortSignal) =>
    call<F.OrderLooked>('POST', '/configuration/look', { body: order, signal }),
  fleetSettings: (signal?: AbortSignal) => call<F.FleetSettings>('GET', '/configuration', { signal }),
  meterSettings: (state: string, kind: string, after: string | null, signal?: AbortSignal) =>
    call<C.Cursor<F.MeterSetting, string>>('GET', '/configuration/meters', {
      parameters: { state, kind, after: after ?? undefined },
      signal,
    }),
  configOrders: (after: number | null, signal?: AbortSignal) =>
    call<C.Cursor<F.ConfigOrder, number>>('GET', '/configurations', {
      parameters: { after: after ?? undefined },
      signal,
    }),
  configOrder: (id: Id, signal?: AbortSignal) =>
    call<F.ConfigOrder>('GET', `/configurations/${part(id)}`, { signal }),
  configMembers: (id: Id, state: string, after: string | null, signal?: AbortSignal) =>
    call<C.Cursor<F.ConfigMember, string>>('GET', `/configurations/${part(id)}/meters`, {
      parameters: { state, after: after ?? undefined },
      signal,
    }),
  orderSettings: (order: F.NewOrder, key: string) =>
    call<F.ConfigOrder>('POST', '/configurations', { body: order, headers: { 'Idempotency-Key': key } }),
  sayOrder: (id: Id, move: C.CampaignMove, reason: string) =>
    call<F.ConfigOrder>('POST', `/configurations/${part(id)}/${move}`, { body: { reason } }),
  events: (id: Id) => call<{ items: T.MeterEvent[] }>('GET', `/meters/${part(id)}/events`),
  commands: (id: Id) => call<{ items: T.Command[] }>('GET', `/meters/${part(id)}/commands`),
  /** `key` is made once per intention: the same key sent again does nothing twice. */
  command: (id: Id, kind: T.CommandKind, reason: string, key: string = uuid4(), quantities?: string[]) =>
    call<T.Command>('POST', `/meters/${part(id)}/commands`, {
      body: { kind, reason, quantities },
      headers: { 'Idempotency-Key': key },
    }),
  cancel: (id: Id) =>
    call<T.Command>('POST', `/commands/${part(id)}/cancel`, {
      body: {},
      headers: { 'Idempotency-Key': uuid4() },
    }),
  reads: () => call<{ items: R.ReadPlan[] }>('GET', '/reads'),
  readValues: (id: Id) => call<T.Page<R.ReadMeter>>('GET', `/reads/${part(id)}/values`),
  /** `key` as for a command. */
  planRead: (plan: R.NewRead, key: string) =>
    call<R.ReadPlan>('POST', '/reads', { body: plan, headers: { 'Idempotency-Key': key } }),
  runRead: (id: Id) => call<R.ReadPlan>('POST', `/reads/${part(id)}/run`),
  endRead: (id: Id) => call<R.ReadPlan>('DELETE', `/reads/${part(id)}`),
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
