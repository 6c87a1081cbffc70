import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Problem } from '../src/lib/api';
import type { Command, Meter } from '../src/lib/types';
import DemandPanel from '../src/parts/DemandPanel.svelte';
import SwitchPanel from '../src/parts/SwitchPanel.svelte';

const METER: Meter = {
  id: 7,
  serial: 'NYA7',
  customer: 'Sari Wijaya',
  site: 'Rusun Kemayoran',
  zone: 'Asia/Jakarta',
  model: { name: 'single-phase', title: 'Single phase', phases: 1, supply_switch: true },
  dev_eui: '70b3d57ed0060007',
  tariff: null,
  ct_ratio: [1, 1],
  period_s: 900,
  installed_s: 0,
  last_heard_s: 100,
  radio: null,
  live: null,
  registers: [],
  alarms: [],
  switch: { state: 'closed', at_s: 100 },
  missing: 0,
  complete_to_s: null,
  needs_readmission: false,
};
const COMMAND: Command = {
  id: 'c1',
  meter_id: 7,
  kind: 'switch_open',
  state: 'sent',
  created_s: 100,
  created_by: 'operator',
  reason: 'overdue',
  expires_s: 900,
  steps: [{ at_s: 100, state: 'queued', text: '' }],
};

let page: Record<string, unknown> | null = null;
const find = (id: string): HTMLElement | null => document.querySelector(`[data-testid="${id}"]`);
const disabled = (id: string): boolean => (find(id) as HTMLButtonElement | null)?.disabled ?? true;

function show(
  meter: Meter,
  commands: Command[],
  send = vi.fn(() => Promise.resolve()),
  allowed = true,
  panel: typeof SwitchPanel | typeof DemandPanel = SwitchPanel,
) {
  page = mount(panel, {
    target: document.body,
    props: { meter, commands, allowed, send, cancel: vi.fn() },
  });
  flushSync();
  return send;
}

function write(text: string, id = 'switch-reason'): void {
  const field = find(id) as HTMLInputElement;
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

async function confirm(): Promise<void> {
  document
    .querySelector('dialog form')
    ?.dispatchEvent(new Event('submit', { bubbles: true, cancelable: true }));
  await Promise.resolve();
  await Promise.resolve();
  flushSync();
}

beforeEach(() => {
  document.body.innerHTML = '';
});
afterEach(async () => {
  if (page) await unmount(page);
  page = null;
});

test('a meter with current transformers says that it has no switch and offers none', () => {
  const model = { ...METER.model, name: 'three-phase-ct', supply_switch: false };
  show({ ...METER, model, switch: { state: 'none', at_s: null } }, []);
  expect(find('switch-none')?.textContent).toMatch(/current transformers/);
  expect(find('switch-open')).toBeNull();
});

test('a closed switch can be opened only', () => {
  show(METER, []);
  expect([disabled('switch-open'), disabled('switch-close')]).toEqual([false, true]);
});

test('while a switch command is under way there is no second one, and its state is shown', () => {
  show({ ...METER, switch: { state: 'unknown', at_s: null } }, [COMMAND]);
  expect([disabled('switch-open'), disabled('switch-close')]).toEqual([true, true]);
  expect(find('command-state')?.dataset['state']).toBe('sent');
});

test('who may not move the switch sees how it stands and no button', () => {
  show(METER, [], undefined, false);
  expect(find('switch-state')?.dataset['state']).toBe('closed');
  expect(find('switch-open')).toBeNull();
});

test('a read under way does not hold the switch', () => {
  show(METER, [{ ...COMMAND, kind: 'read' }]);
  expect(disabled('switch-open')).toBe(false);
});

test('the question names meter and customer and is not sent without a reason', async () => {
  const send = show(METER, []);
  find('switch-open')?.click();
  flushSync();
  const dialog = document.querySelector('dialog');
  expect(dialog?.textContent).toContain('NYA7');
  expect(dialog?.textContent).toContain('Sari Wijaya');
  write('  x ');
  await confirm();
  expect(send).not.toHaveBeenCalled();
  write('overdue account');
  await confirm();
  expect(send).toHaveBeenCalledWith(
    'switch_open',
    'overdue account',
    expect.stringMatching(/^[0-9a-f-]{36}$/),
  );
});

test('a refusal is shown and the same intention keeps its key', async () => {
  const send = vi.fn(() => Promise.reject(new Problem(403, 'Forbidden', 'you may not switch')));
  show(METER, [], send);
  find('switch-open')?.click();
  flushSync();
  write('overdue account');
  await confirm();
  await vi.waitFor(() => {
    expect(document.querySelector('dialog [role="alert"]')?.textContent).toContain('you may not switch');
  });
  await confirm();
  const keys = send.mock.calls.map((call) => (call as unknown[])[2]);
  expect(keys).toHaveLength(2);
  expect(keys[0]).toBe(keys[1]);
});

test('a reconnection that the meter refused leaves the way by a disconnection', () => {
  const meter: Meter = { ...METER, switch: { state: 'open', at_s: 100 } };
  show(meter, [{ ...COMMAND, kind: 'switch_close', state: 'failed' }]);
  expect([disabled('switch-open'), disabled('switch-close')]).toEqual([false, false]);
  expect(find('switch-by-hand')?.textContent).toMatch(/button at the meter/);
});

test('the demand is reset after a question, with a reason', async () => {
  const send = show(METER, [], undefined, true, DemandPanel);
  find('demand-reset')?.click();
  flushSync();
  expect(document.querySelector('dialog')?.textContent).toContain('NYA7');
  write('end of the period', 'demand-reason');
  await confirm();
  expect(send).toHaveBeenCalledWith('demand_reset', 'end of the period', expect.any(String));
});

test('a demand reset shows its state in its own panel, and while it runs there is no second order', () => {
  const reset: Command = { ...COMMAND, kind: 'demand_reset' };
  show(METER, [reset], undefined, true, DemandPanel);
  expect(disabled('demand-reset')).toBe(true);
  expect(find('command-state')?.dataset['kind']).toBe('demand_reset');
});

test('the switch tells of its own commands and waits for a demand reset', () => {
  show(METER, [{ ...COMMAND, kind: 'demand_reset' }]);
  expect(find('command-state')).toBeNull();
  expect(disabled('switch-open')).toBe(true);
});

test('who may not reset the demand has no button', () => {
  show(METER, [], undefined, false, DemandPanel);
  expect(find('demand-reset')).toBeNull();
});
