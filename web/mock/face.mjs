// A meter's scroll list, as its display would show it.

const LEDS = { alarm_1: 'off', alarm_2: 'off', active_pulse: 'flash', reactive_pulse: 'flash' };
const SIGNS = ['clock', 'cross', 'kilo', 'hour', 'watt', 'l1', 'plus_p', 'plus_q', 'relay_closed', 't1'];

export function scroll(nowS) {
  const faces = [0, 1, 2].map((item) => ({
    digits: [63, 6, 91, 79, 102, 237, 125, 7],
    code: [6, 128, 127, 128, 63, 0, item],
    signs: SIGNS,
    blink: [],
    backlight: false,
    text: '1.8.0 01234.567 kWh',
    leds: { ...LEDS, system: 'flash', communication: 'off' },
  }));
  return { at: new Date(nowS * 1000).toISOString(), item_s: 10, faces };
}
