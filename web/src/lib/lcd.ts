// A meter's face as the API tells it, and where things are on the glass.  Marks are print on the glass: no language.
// Names are those of the meter's own table; a test holds the two together.

/** What an LED does: 2 Hz is fast, 0.5 Hz slow. */
export type LedMode = 'off' | 'on' | 'fast' | 'slow' | 'flash';

/** A frame.  `digits` (8) and `code` (7) are masks: bit 0 = segment a ... bit 6 = g, bit 7 = the point behind. */
export interface MeterFace {
  digits: number[];
  code: number[];
  signs: string[];
  blink: string[];
  backlight: boolean;
  text: string;
  leds: Record<string, LedMode>;
}

/** A sign: its name, its mark, and where its text begins. */
export type Sign = readonly [name: string, mark: string, x: number, y: number];

const PHASES: Sign[] = [
  ['l1', 'L1', 18, 26],
  ['l2', 'L2', 48, 26],
  ['l3', 'L3', 78, 26],
  ['sequence', '↺', 108, 26],
];
const RATES: Sign[] = [1, 2, 3, 4, 5, 6, 7, 8].map((rate) => [`t${rate}`, `T${rate}`, 116 + 26 * rate, 26]);
const TOP: Sign[] = [
  ['clock', 'CLOCK', 366, 26],
  ['antenna', 'ANTENNA', 430, 26],
];
const UNITS: Sign[] = [
  ['hertz', 'Hz', 556, 96],
  ['celsius', '°C', 588, 96],
  ['degree', '°', 620, 96],
  ['mega', 'M', 534, 126],
  ['kilo', 'k', 554, 126],
  ['volt', 'V', 567, 126],
  ['ampere', 'A', 581, 126],
  ['watt', 'W', 534, 150],
  ['var', 'var', 556, 150],
  ['hour', 'h', 586, 150],
];
const CROSS: Sign[] = [
  ['plus_q', '↑', 588, 36],
  ['minus_p', '←', 568, 54],
  ['cross', '+', 588, 54],
  ['plus_p', '→', 606, 54],
  ['minus_q', '↓', 588, 72],
];
const STATE: Sign[] = [
  ['relay_closed', 'CLOSED', 18, 180],
  ['relay_open', 'OPEN', 88, 180],
  ['battery_internal', 'BAT.INT', 142, 180],
  ['battery_external', 'BAT.EXT', 216, 180],
  ['credit', 'CREDIT', 294, 180],
  ['emergency', 'EMERGENCY', 364, 180],
  ['no_load', 'NO LOAD', 472, 180],
];
const TROUBLE: Sign[] = [
  ['alarm', 'ALARM', 18, 204],
  ['error', 'ERROR', 88, 204],
  ['cover', 'COVER', 152, 204],
  ['magnet', 'MAGNET', 222, 204],
  ['tamper', 'TAMPER', 300, 204],
  ['reverse', 'REVERSE', 376, 204],
  ['overload', 'OVERLOAD', 456, 204],
];

export const SIGNS: readonly Sign[] = [...PHASES, ...RATES, ...TOP, ...UNITS, ...CROSS, ...STATE, ...TROUBLE];

/** LEDs: name, what is printed beside, colour, where. */
export const LEDS = [
  ['alarm_1', 'ALARM', 'red', 24],
  ['alarm_2', 'ALARM', 'red', 104],
  ['active_pulse', 'P', 'red', 184],
  ['reactive_pulse', 'Q', 'red', 234],
  ['system', 'SYSTEM', 'blue', 420],
  ['communication', 'COMM', 'green', 520],
] as const;

/** Segments a..g of a digit in a box of 34 x 62, as polygons; the point is apart. */
export const SEGMENTS: readonly string[] = [
  '6,0 28,0 24,6 10,6',
  '34,4 34,29 31,31 28,27 28,10',
  '34,58 34,33 31,31 28,35 28,52',
  '6,62 28,62 24,56 10,56',
  '0,58 0,33 3,31 6,35 6,52',
  '0,4 0,29 3,31 6,27 6,10',
  '5,31 10,28 24,28 29,31 24,34 10,34',
];

/** Whether a segment of a mask is lit: 0 = a ... 6 = g, 7 = the point. */
export function isLit(mask: number, segment: number): boolean {
  return ((mask >> segment) & 1) === 1;
}
