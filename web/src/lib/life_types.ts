// The life of a meter and its exchanges, in the shapes of /api/v1.  Registers are whole Wh at the meter's terminals.

export type LifeState = 'in_stock' | 'commissioning' | 'active' | 'suspended' | 'removed' | 'replaced';
/** What a person may say of a meter; `replace` is an exchange. */
export type LifeMove = 'activate' | 'suspend' | 'resume' | 'remove' | 'replace';
export type LifeEvent = LifeMove | 'heard' | 'install';

export interface LifeCheck {
  name: string;
  holds: boolean;
  seen: string;
}

export interface LifeStep {
  event: LifeEvent;
  state: LifeState;
  at_s: number;
  recorded_s: number;
  by: string;
  reason: string;
}

export interface ExchangeDone {
  old_meter_id: number;
  new_meter_id: number;
  at_s: number;
  final: Record<string, number>;
  start: Record<string, number>;
  by: string;
  reason: string;
}

export interface Life {
  meter_id: number;
  state: LifeState;
  since_s: number | null;
  ended_s: number | null;
  checks: LifeCheck[];
  steps: LifeStep[];
  exchanges: ExchangeDone[];
  moves: LifeMove[];
}

export interface LifeSaid {
  event: LifeMove;
  reason: string;
  despite_checks?: boolean;
}

export interface RegisterAsked {
  name: string;
  last_wh: number | null;
  last_s: number | null;
  /** Where the intervals of the old meter lead to at the instant. */
  leads_to_wh: number | null;
}

export interface ExchangeSide {
  meter_id: number;
  serial: string;
  model: string;
  state: LifeState;
  registers: RegisterAsked[];
}

export interface ExchangeAsked {
  new_serial: string;
  at_s: number;
  final?: Record<string, number>;
  start?: Record<string, number>;
}

export interface ExchangeLooked {
  old: ExchangeSide;
  new: ExchangeSide;
  edge_s: number;
  /** What does not fit; empty where it can be done. */
  refused: string;
  /** Intervals of the old meter that would be estimated, by register. */
  estimated: Record<string, number>;
}

export interface NewExchange {
  new_meter_id: number;
  at_s: number;
  final: Record<string, number>;
  start: Record<string, number>;
  reason: string;
}
