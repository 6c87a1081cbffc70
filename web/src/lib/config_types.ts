// The configuration of a meter, as the API tells it.

export type SettingState = 'unmanaged' | 'in_step' | 'sending' | 'refused' | 'drift';
export type SettingKind = 'calendar' | 'limiter' | 'billing' | 'credit' | 'reporting' | 'zone';

export interface WantedSetting {
  version: number;
  check: string;
  value: Record<string, unknown>;
  since_s: number;
  by: string;
}

export interface Setting {
  kind: SettingKind;
  state: SettingState;
  wanted: WantedSetting | null;
  /** Version 0: the meter has none. */
  reported: { version: number; check: string; at_s: number } | null;
  detail: string;
}

export interface Configuration {
  items: Setting[];
  /** Calendars that can be chosen by name. */
  calendars: string[];
}

export type NewSetting =
  | { kind: 'calendar'; named: string; activate: string | null }
  | {
      kind: 'limiter';
      limits: { quantity: 'power'; normal: number; over_s: number; under_s: number }[];
    };
