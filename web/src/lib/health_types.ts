// The shapes of a meter's health in /api/v1; `types.ts` has the conventions.

/** `error_ms`: at least so far ahead of the centre (negative: behind); null: not known yet. */
export interface ClockHealth {
  error_ms: number | null;
  off: boolean;
  step_ms: number | null;
  drift_ppb: number | null;
  resync_s: number | null;
}

export interface MeterHealth {
  clock: ClockHealth;
  lost_events: number[];
  told: { name: string; value: number; at_s: number }[];
}
