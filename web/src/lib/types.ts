// The shapes of /api/v1, as the portal reads them.  Energies, powers and currents are those at the meter's terminals (secondary).  Instants are UTC seconds (`_s`), energies whole Wh, money a decimal string.

export type * from './alarm_types';
export type * from './bill_types';
export type * from './campaign_types';
export type * from './life_types';
export type * from './lorawan_types';
export type * from './sheet_types';
import type { ActiveAlarm, AlarmCounts, AlarmKind } from './alarm_types';
import type { LifeState } from './life_types';

export type Lang = 'en' | 'id';

export interface User {
  name: string;
  role: string;
  tenant: string;
  language: string;
  permissions: string[];
}

export interface Session {
  user: User;
}

/** One row of the quantity catalogue: physical value = integer * 10**scaler in unit. */
export interface Quantity {
  name: string;
  obis: string;
  unit: string;
  scaler: number;
  kind: string;
  label_en: string;
  label_id: string;
}

export interface Quality {
  code: number;
  name: string;
  label_en: string;
  label_id: string;
  estimated: boolean;
}

export interface Catalogue {
  quantities: Quantity[];
  qualities: Quality[];
  alarms: AlarmKind[];
}

/** How many intervals should be there, and how many are: received + estimated + missing = expected. */
export interface Completeness {
  expected: number;
  received: number;
  estimated: number;
  missing: number;
}

export interface FleetDay extends Completeness {
  day: string;
  import_wh: number;
  export_wh: number;
}

export interface Series {
  start_s: number;
  period_s: number;
  import_wh: (number | null)[];
  export_wh: (number | null)[];
}

export interface Gateway {
  eui: string;
  last_seen_s: number | null;
  frames: number;
}

export interface MeterEvent {
  at_s: number;
  code: number | string;
  text: string;
  detail: number | string | null;
  /** Where it speaks of an alarm. */
  alarm?: string | null;
  value?: number | null;
}

export interface FleetEvent extends MeterEvent {
  meter_id: string | number;
  serial: string;
}

export interface Fleet {
  now_s: number;
  zone: string;
  meters: { total: number; heard: number; silent: number; never: number; needs_readmission: number };
  energy_today: { import_wh: number; export_wh: number };
  today: Completeness;
  days: FleetDay[];
  profile_today: Series;
  gateways: Gateway[];
  commands_open: number;
  alarms: AlarmCounts;
  events: FleetEvent[];
}

export type SwitchState = 'open' | 'closed' | 'none' | 'unknown';

export interface MeterRow {
  id: string | number;
  serial: string;
  customer: string;
  site: string;
  model: string;
  switch_state: SwitchState;
  last_heard_s: number | null;
  p_w: number | null;
  import_wh: number | null;
  missing: number;
  needs_readmission: boolean;
  life: LifeState;
  ct_ratio?: [number, number];
}

export interface Page<T> {
  items: T[];
  next: string | null;
  total: number;
}

export interface Register {
  name: string;
  value: number;
  at_s: number;
}

export interface Live {
  at_s: number;
  values: Record<string, number>;
}

export interface Switch {
  state: SwitchState;
  at_s: number | null;
}

export interface Radio {
  data_rate: string;
  rssi_dbm: number;
  snr_db: number;
  gateways: number;
}

/** What of a meter moves while one looks at it: the `meter` event of the live stream. */
export interface MeterUpdate {
  id: string | number;
  last_heard_s: number | null;
  live: Live | null;
  switch: Switch;
  registers: Register[];
  alarms: ActiveAlarm[];
}

export interface Meter extends MeterUpdate {
  serial: string;
  customer: string;
  site: string;
  zone: string;
  model: { name: string; title: string; phases: number; supply_switch: boolean };
  dev_eui: string;
  tariff: string | null;
  ct_ratio: [number, number];
  period_s: number;
  installed_s: number;
  radio: Radio | null;
  missing: number;
  complete_to_s: number | null;
  needs_readmission: boolean;
}

export interface Profile extends Series {
  quality: number[];
}

export type CommandKind = 'switch_open' | 'switch_close' | 'read' | 'scheduled_read' | 'demand_reset';
/** What is asked about before it is ordered. */
export type OrderKind = Exclude<CommandKind, 'read' | 'scheduled_read'>;
export type CommandState =
  'queued' | 'sent' | 'delivered' | 'executed' | 'verified' | 'failed' | 'expired' | 'cancelled' | 'unknown';

export interface CommandStep {
  at_s: number;
  state: CommandState;
  text: string;
}

export interface Command {
  id: string | number;
  meter_id: string | number;
  kind: CommandKind;
  state: CommandState;
  created_s: number;
  created_by: string;
  reason: string;
  expires_s: number;
  steps: CommandStep[];
}

export interface FleetPulse {
  heard: number;
  uplinks_per_minute: number;
  alarms: AlarmCounts;
}
