import { flushSync, mount, unmount } from 'svelte';
import { afterEach, expect, test, vi } from 'vitest';
import { api } from '../src/lib/api';
import type { Lorawan, Meter } from '../src/lib/types';
import LorawanPanel from '../src/parts/LorawanPanel.svelte';

const DEVICE: Lorawan = {
  dev_eui: '70b3d57ed0060007',
  join_eui: '0000000000000001',
  dev_addr: '00000007',
  version: '1.0.4',
  device_class: 'C',
  session: {
    joined_s: 100,
    f_cnt_up: 1234,
    f_cnt_down: 5,
    data_rate: 'SF8BW125',
    eirp_dbm: 16,
    repeats: 1,
    battery: 127,
    margin_db: -3,
  },
  heard_by: [{ gateway: '0016c001f0000001', snr_db: 6.2 }],
  rssi_dbm: -97.4,
  needs_readmission: null,
  readmissions: [],
};
const LOST: Lorawan = { ...DEVICE, needs_readmission: { since_s: 90, refused_nonce: 3, dev_nonce: 412 } };
const METER = { id: 7, serial: 'NYA7', zone: 'Asia/Jakarta' } as Meter;

let page: Record<string, unknown> | null = null;
const find = (id: string): HTMLElement | null => document.querySelector(`[data-testid="${id}"]`);
const text = (): string => (find('lorawan-panel')?.textContent ?? '').replace(/\s+/g, ' ');

async function show(device: Lorawan, allowed = true): Promise<void> {
  vi.spyOn(api, 'lorawan').mockResolvedValue(device);
  page = mount(LorawanPanel, {
    target: document.body,
    props: { meter: METER, round: 0, allowed, changed: vi.fn() },
  });
  await vi.waitFor(() => {
    flushSync();
    expect(text()).toContain('DevAddr');
  });
}

afterEach(async () => {
  if (page) await unmount(page);
  document.body.replaceChildren();
  vi.restoreAllMocks();
});

test('a session is told in full, and nothing is offered to a meter that has lost nothing', async () => {
  await show(DEVICE);
  for (const said of [
    '00000007',
    '1.0.4, class C',
    '1,234',
    'SF8 / 125 kHz',
    '16 dBm',
    '50 %',
    '−3 dB',
    'SNR 6.2 dB',
  ])
    expect(text()).toContain(said);
  expect(find('readmit')).toBeNull();
});

test('a meter that has not joined says so', async () => {
  await show({ ...DEVICE, session: null, heard_by: [], rssi_dbm: null });
  expect(text()).toContain('Not joined yet');
});

test('a meter that lost its memory is re-admitted by one action, with one key', async () => {
  await show(LOST);
  expect(find('needs-readmission')?.textContent).toContain('412');
  const sent = vi.spyOn(api, 'readmit').mockResolvedValue({
    ...DEVICE,
    readmissions: [{ at_s: 95, by: 'ani', dev_nonce: 412, refused_nonce: 3 }],
  });
  HTMLDialogElement.prototype.showModal = vi.fn();
  find('readmit')?.click();
  flushSync();
  find('readmit-confirm')?.click();
  await vi.waitFor(() => {
    flushSync();
    expect(find('readmissions')?.textContent).toContain('ani, after DevNonce 412');
  });
  expect(sent).toHaveBeenCalledExactlyOnceWith(7, expect.stringMatching(/^[0-9a-f-]{36}$/));
  expect(find('needs-readmission')).toBeNull();
});

test('who may not re-admit sees the need and no button', async () => {
  await show(LOST, false);
  expect(find('needs-readmission')).not.toBeNull();
  expect(find('readmit')).toBeNull();
});
