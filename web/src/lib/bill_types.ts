// The shapes of bills in /api/v1; `types.ts` has the conventions.

export interface BillRow {
  id: string | number;
  meter_id: string | number;
  serial: string;
  customer: string;
  month: string;
  version: number;
  tariff: string;
  total: string;
  currency: string;
  energy_wh: number;
  estimated_wh: number;
  ct_ratio?: [number, number];
}

export interface BillLine {
  n: number;
  code: string;
  label_en: string;
  label_id: string;
  quantity: string;
  unit: string;
  price: string;
  amount: string;
  /** What other lines have charged already: amount = quantity x price - less. */
  less?: string;
  has_intervals: boolean;
}

export interface Bill extends Omit<BillRow, 'tariff'> {
  start_s: number;
  end_s: number;
  zone: string;
  tariff: { code: string; title: string; title_id: string; version: number | string };
  lines: BillLine[];
  max_demand: { w: number; at_s: number } | null;
  inputs: number;
}

export interface LineInterval {
  start_s: number;
  wh: number | null;
  quality: number;
  version: number;
}

export interface LineIntervals {
  items: LineInterval[];
  sum_wh: number;
}
