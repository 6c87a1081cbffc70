// LoRaWAN of the mock: every 47th meter has lost its memory.  For development only.

import * as w from './world.mjs';

const done = new Map();
export const isLost = (i) => i % 47 === 1 && !done.has(i);

export function device(i) {
  const now = w.nowS();
  const heard = w.heardOf(i, now) !== null;
  return {
    dev_eui: `70b3d57ed0${(0x60000 + i).toString(16).padStart(6, '0')}`,
    join_eui: '0000000000000001',
    dev_addr: (i + 1).toString(16).padStart(8, '0'),
    version: '1.0.4',
    device_class: 'C',
    session: heard && {
      joined_s: now - 86_400 * (3 + (i % 90)),
      f_cnt_up: 1200 + i * 31,
      f_cnt_down: 40 + (i % 300),
      data_rate: 'SF8BW125',
      eirp_dbm: 16 - 2 * (i % 4),
      repeats: 1,
      battery: 0,
      margin_db: 4 + (i % 9),
    },
    heard_by: heard
      ? [
          { gateway: 'b827ebfffe5a1c02', snr_db: 6.2 },
          { gateway: 'b827ebfffe5a1c17', snr_db: -3.5 },
        ]
      : [],
    rssi_dbm: heard ? -97 : null,
    needs_readmission: isLost(i) ? { since_s: now - 5400, refused_nonce: 3, dev_nonce: 412 } : null,
    readmissions: done.has(i) ? [done.get(i)] : [],
  };
}

export function readmit(i, by) {
  if (!isLost(i)) return null;
  done.set(i, { at_s: w.nowS(), by, dev_nonce: 412, refused_nonce: 3 });
  return device(i);
}
