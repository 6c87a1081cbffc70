// Command campaigns, groups of meters and templates, in the shapes of /api/v1.

export type CampaignKind = 'read' | 'switch_open' | 'switch_close' | 'demand_reset';
export type CampaignState =
  'awaiting' | 'running' | 'paused' | 'stopped' | 'done' | 'cancelled' | 'rejected' | 'expired';
/** What a person may say of a campaign. */
export type CampaignMove = 'approve' | 'reject' | 'pause' | 'resume' | 'cancel';
export type MemberState = 'waiting' | 'ordered' | 'verified' | 'failed' | 'expired' | 'cancelled';

/** A page whose length nobody counts. */
export interface Cursor<T, C> {
  items: T[];
  next: C | null;
}

export interface CampaignStep {
  at_s: number;
  state: CampaignState;
  by: string;
  text: string;
}

export interface Campaign {
  id: number;
  name: string;
  kind: CampaignKind;
  state: CampaignState;
  created_s: number;
  created_by: string;
  approved_by: string;
  reason: string;
  /** Meters per minute. */
  pace: number;
  stop_pct: number;
  stop_min: number;
  life_s: number;
  expires_s: number;
  meters: number;
  counts: Record<MemberState, number>;
  history: CampaignStep[];
  moves: CampaignMove[];
}

export interface Member {
  meter_id: number;
  serial: string;
  state: MemberState;
  command_id: number | null;
  text: string;
}

/** Whom an order is for: one of the three. */
export interface CampaignTarget {
  group?: number;
  site?: string;
  meters?: number[];
}

export interface CampaignAsked extends CampaignTarget {
  kind: CampaignKind;
}

export interface CampaignLooked {
  meters: number;
  /** Meters that cannot do it: they fail by themselves. */
  unable: number;
  needs_approval: boolean;
}

export interface NewCampaign extends CampaignAsked {
  expected: number;
  reason: string;
  pace: number;
  stop_pct: number;
  stop_min: number;
  expires_s: number;
}

export interface Group {
  id: number;
  name: string;
  /** Its meters are listed; else the three below choose them. */
  fixed: boolean;
  site: string;
  model: string;
  tariff: string;
  /** On a wall now. */
  meters: number;
}

export interface NewGroup {
  name: string;
  meters?: number[];
  serials?: string[];
  site?: string;
  model?: string;
  tariff?: string;
}

export interface GroupLooked {
  meters: number;
  unknown: string[];
}

export interface Template {
  name: string;
  period_min: number;
  report_min: number;
  tariff: string;
  zone: string;
}
