// Scheduled reads as the API has them.

export interface NewRead {
  name: string;
  quantities: string[];
  rhythm: string;
  zone: string;
  spread_s: number;
  meter?: string | number;
  group?: number;
}

export interface ReadPlan {
  id: number;
  name: string;
  quantities: string[];
  rhythm: string;
  zone: string;
  spread_s: number;
  meter: number | null;
  group: number | null;
  created_s: number;
  created_by: string;
  next_s: number;
  run_s: number | null;
  ordered: number;
  refused: number;
  ended_s: number | null;
}

/** What the last run of a plan has brought from one meter. */
export interface ReadMeter {
  meter_id: number;
  serial: string;
  values: Record<string, { value: number; at_s: number }>;
}

/** Quantities that one read can name. */
export const READ_MAX = 8;
