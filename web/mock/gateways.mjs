// Gateways of the mock: one of each kind and state.  For development only.

import * as w from './world.mjs';

const quiet = {
  state: 'unheard',
  link: null,
  address: null,
  software: null,
  not_taken: 0,
  sent: 0,
  not_sent: {},
  warnings: 0,
  status: null,
  position: null,
};

export function page() {
  const now = w.nowS();
  const items = [
    {
      ...quiet,
      eui: '0016c001f0000001',
      last_seen_s: now - 3,
      frames: 184_203,
      state: 'online',
      link: 'semtech-udp',
      address: '198.51.100.7:41233',
      not_taken: 1_204,
      sent: 5_012,
      not_sent: { TOO_LATE: 3, COLLISION_PACKET: 14 },
      status: {
        at_s: now - 20,
        rx: 96,
        rx_ok: 88,
        rx_forwarded: 88,
        acknowledged_percent: 100,
        downlinks: 4,
        transmitted: 4,
        temperature_c: 41.2,
      },
      position: { latitude_deg: -6.1754, longitude_deg: 106.8272, altitude_m: 42 },
    },
    {
      ...quiet,
      eui: '0016c001f0000002',
      last_seen_s: now - 1_900,
      frames: 90_412,
      state: 'offline',
      link: 'semtech-udp',
      address: '198.51.100.9:1700',
      sent: 77,
      not_sent: { NO_ANSWER: 2 },
    },
    { ...quiet, eui: '0016c001f0000003', last_seen_s: now - 86_400 * 3, frames: 12 },
    {
      ...quiet,
      eui: 'b827ebfffe010203',
      last_seen_s: now - 1,
      frames: 41_877,
      state: 'online',
      link: 'basics-station',
      address: '203.0.113.20:52110',
      software: 'corecell 2.0.6(corecell/std)',
      sent: 1_980,
    },
  ];
  return { items, next: null, total: items.length };
}
