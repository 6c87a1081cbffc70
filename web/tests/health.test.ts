import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { api } from '../src/lib/api';
import type { MeterHealth } from '../src/lib/health_types';
import type { Meter } from '../src/lib/types';
import HealthPanel from '../src/parts/HealthPanel.svelte';

const METER = { id: 7, zone: 'Asia/Jakarta' } as Meter;
const HEALTH: MeterHealth = {
  clock: { error_ms: 4_200, off: true, step_ms: -300, drift_ppb: 3_500, resync_s: 100 },
  lost_events: [7, 9],
  told: [
    { name: 'uptime_s', value: 7_260, at_s: 90 },
    { name: 'capabilities', value: 3, at_s: 90 },
  ],
};

let page: Record<string, unknown> | null = null;
afterEach(() => {
  if (page) void unmount(page);
  page = null;
  vi.restoreAllMocks();
});

async function show(health: MeterHealth): Promise<string> {
  vi.spyOn(api, 'health').mockResolvedValue(health);
  page = mount(HealthPanel, { target: document.body, props: { meter: METER, round: 0 } });
  await vi.waitFor(() => {
    flushSync();
    expect(document.querySelector('[data-testid="clock-error"]')).not.toBeNull();
  });
  return document.querySelector('[data-testid="health"]')?.textContent ?? '';
}

test('a clock that is off, its drift and the lost events are shown, and what the meter can', async () => {
  const text = await show(HEALTH);
  expect(document.querySelector('[data-testid="clock-error"]')?.textContent).toMatch(/4\.2\s*s\s*off/);
  for (const part of ['−0.3', '3.5 ppm', '2\u00a0hr', 'Class C', 'Supply switch'])
    expect(text).toContain(part);
  expect(text).not.toContain('Last words');
  expect(document.querySelector('[data-testid="lost-events"]')?.textContent.trim()).toBe('2');
});

test('what is not known is no number', async () => {
  const clock = { error_ms: null, off: false, step_ms: null, drift_ppb: null, resync_s: null };
  const text = await show({ clock, lost_events: [], told: [] });
  expect(document.querySelector('[data-testid="clock-error"]')?.textContent.trim()).toBe('–');
  expect(text).not.toContain('ppm');
});
