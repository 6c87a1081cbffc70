// The shapes of incidents and notifications in /api/v1; `types.ts` has the conventions.

import type { Severity } from './alarm_types';
import type { Site } from './place_types';

/** Many alarms as one thing.  `place`: a feeder, a site, or the EUI of a gateway; `ended_s` null: it goes on. */
export interface Incident {
  id: number;
  alarm: string;
  severity: Severity;
  scope: 'feeder' | 'site' | 'gateway';
  place: string;
  meters: number;
  meters_on: number;
  first_s: number;
  last_s: number;
  opened_s: number;
  updated_s: number;
  ended_s: number | null;
}

export interface IncidentMember {
  meter_id: number;
  serial: string;
  site: string;
  raised_s: number;
  value: number | null;
  cleared_s: number | null;
}

export interface IncidentDetail extends Incident {
  members: IncidentMember[];
  sites: Site[];
}

export type TargetKind = 'webhook' | 'email';

export interface NewTarget {
  name: string;
  kind: TargetKind;
  address: string;
  severities: Severity[];
  kinds: string[];
  place: string;
}

export interface Target extends NewTarget {
  id: number;
}

export type MessageState = 'queued' | 'sending' | 'delivered' | 'dead';

export interface Message {
  id: number;
  target: string;
  address: string;
  removed: boolean;
  event: 'raised' | 'cleared' | 'test';
  alarm: string | null;
  scope: 'meter' | 'feeder' | 'site' | 'gateway' | null;
  place: string;
  meters: number;
  state: MessageState;
  attempts: number;
  problem: string;
  created_s: number;
  next_s: number | null;
}

export interface Messages {
  items: Message[];
  counts: Record<MessageState, number>;
}
