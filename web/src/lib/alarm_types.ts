// The shapes of alarms in /api/v1; `types.ts` has the conventions.

import type { Page } from './types';

export type Severity = 'high' | 'medium' | 'low';

/** One row of the alarm table: a value is an integer * 10**scaler in unit; `unit` null: it has none. */
export interface AlarmKind {
  name: string;
  severity: Severity;
  label_en: string;
  label_id: string;
  unit: string | null;
  scaler: number;
}

export type AlarmCounts = Record<Severity, number>;

/** An alarm that is on, as the meter last said. */
export interface ActiveAlarm {
  alarm: string;
  severity: Severity;
  since_s: number;
}

/** One time that an alarm went on.  `value` null: only a state showed it; `cleared_s` null: it is on. */
export interface AlarmRow {
  id: string | number;
  meter_id: string | number;
  serial: string;
  customer: string;
  site: string;
  alarm: string;
  severity: Severity;
  raised_s: number;
  value: number | null;
  source: string;
  received_s: number;
  cleared_s: number | null;
  acknowledged_s: number | null;
  acknowledged_by: string | null;
  note: string | null;
}

export interface AlarmPage extends Page<AlarmRow> {
  /** Of all that are on, whatever the filter. */
  counts: AlarmCounts;
}

export type AlarmFilter = 'active' | 'open' | 'all';
