// How many alarms are on, for the navigation: whoever hears of it says it here; pages without a live stream ask.

import { api, Problem } from './api';
import type { AlarmCounts, Severity } from './types';

let counts = $state.raw<AlarmCounts | null>(null);

export const badge = {
  get counts() {
    return counts;
  },
  get total(): number {
    return counts ? counts.high + counts.medium + counts.low : 0;
  },
  /** The most urgent severity of an alarm that is on. */
  get worst(): Severity | null {
    return (['high', 'medium', 'low'] as const).find((each) => counts?.[each]) ?? null;
  },
};

export function countAlarms(said: AlarmCounts | undefined): void {
  if (said) counts = said;
}

/** A failure is no news: the badge keeps what it showed, and the pages say what is wrong. */
export async function refreshBadge(): Promise<void> {
  try {
    countAlarms((await api.alarms({ state: 'active' }, null, 1)).counts);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}
