// The configuration of meters, as the API tells it and as it is ordered.

import type { CampaignMove, CampaignState, CampaignStep, MemberState } from './campaign_types';

export type SettingState = 'unmanaged' | 'in_step' | 'sending' | 'refused' | 'drift';
export type SettingKind = 'calendar' | 'limiter' | 'billing' | 'credit' | 'reporting' | 'zone';

/** A calendar: day -> local time -> rate; week -> seven days; season -> week; dates with wildcards -> day. */
export interface CalendarTable {
  name: string;
  offset: string;
  days: Record<string, Record<string, number>>;
  weeks: Record<string, number[]>;
  seasons: { name: string; start: string; week: string }[];
  special_days: { index: number; date: string; day: number }[];
}

export type Quantity = 'power' | 'current' | 'over_voltage' | 'under_voltage';
export interface Limit {
  quantity: Quantity;
  normal: number;
  emergency: number | null;
  over_s: number;
  under_s: number;
}

export interface Values {
  calendar: { name: string; activate_s: number | null; table: CalendarTable };
  limiter: {
    limits: Limit[];
    reclose_delay_s: number;
    recloses_per_hour: number;
    recloses_per_day: number;
  };
  billing: { day: number; hour: number };
  credit: { warnings: number[]; emergency: { limit: number; threshold: number; button: boolean } | null };
  reporting: { report_s: number; live_s: number; channels: string[]; parity: boolean };
  zone: { offset: string };
}

/** What is ordered of a kind; a calendar takes over at an instant (ISO 8601) or at once. */
export type NewSetting =
  | { kind: 'calendar'; table: CalendarTable; activate: string | null }
  | { [K in Exclude<SettingKind, 'calendar'>]: { kind: K } & Values[K] }[Exclude<SettingKind, 'calendar'>];

interface Common {
  state: SettingState;
  /** Version 0: the meter has none. */
  reported: { version: number; check: string; at_s: number } | null;
  detail: string;
  /** How much of the block has left, while it is in flight. */
  sent_pct: number | null;
}
interface Wanted<V> {
  version: number;
  check: string;
  value: V;
  since_s: number;
  by: string;
}
export type Setting = {
  [K in SettingKind]: Common & { kind: K; wanted: Wanted<Values[K]> | null };
}[SettingKind];

export interface Configuration {
  items: Setting[];
}

export interface Choices {
  calendars: CalendarTable[];
  contracted_va: number[];
  channels: string[][];
}

export interface HistoryItem {
  order_id: number;
  kind: SettingKind;
  version: number | null;
  /** null: nothing is wanted from then on. */
  value: Values[SettingKind] | null;
  at_s: number;
  by: string;
  approved_by: string;
  reason: string;
  state: MemberState;
  text: string;
}

/** Whom an order is for: one of the four. */
export interface OrderTarget {
  group?: number;
  site?: string;
  meters?: number[];
  serials?: string[];
}

/** A year of a calendar: the day profile of each local date from `first` on. */
export interface Year {
  first: string;
  days: number[];
  profiles: { number: number; switches: [at: string, rate: number][] }[];
}

export interface OrderLooked {
  problems: { kind: SettingKind; detail: string }[];
  meters: number;
  unknown: string[];
  unable: number;
  unable_first: { serial: string; detail: string }[];
  needs_approval: boolean;
  bytes: Partial<Record<SettingKind, number>>;
  year: Year | null;
}

export interface NewOrder extends OrderTarget {
  settings: NewSetting[];
  expected: number;
  reason: string;
}

export interface ConfigOrder {
  id: number;
  name: string;
  kinds: SettingKind[];
  values: Partial<Values>;
  state: CampaignState;
  created_s: number;
  created_by: string;
  approved_by: string;
  reason: string;
  stop_pct: number;
  stop_min: number;
  meters: number;
  counts: Record<MemberState, number>;
  history: CampaignStep[];
  moves: CampaignMove[];
}

export interface ConfigMember {
  meter_id: number;
  serial: string;
  state: MemberState;
  versions: Partial<Record<SettingKind, number>>;
  text: string;
}

export interface FleetSettings {
  counts: Partial<Record<SettingKind, Partial<Record<SettingState, number>>>>;
  meters: number;
}

export interface MeterSetting {
  meter_id: number;
  serial: string;
  site: string;
  kind: SettingKind;
  state: SettingState;
  version: number;
  reported_version: number | null;
  wanted_s: number;
  detail: string;
}
