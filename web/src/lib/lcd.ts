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

/** The items of a meter's scroll list, each for `item_s` seconds; `at` when it reported them. */
export interface MeterFaces {
  at: string | null;
  item_s: number;
  faces: MeterFace[];
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
  ['hertz', 'Hz', 556, 122],
  ['celsius', '°C', 588, 122],
  ['degree', '°', 620, 122],
  ['mega', 'M', 531, 150],
  ['kilo', 'k', 545, 150],
  ['volt', 'V', 555, 150],
  ['ampere', 'A', 566, 150],
  ['watt', 'W', 578, 150],
  ['var', 'var', 595, 150],
  ['hour', 'h', 622, 150],
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
  '1,0 33,0 28,6 6,6',
  '34,1 34,29 31,30.5 28,28 28,7.5',
  '34,61 34,33 31,31.5 28,34 28,54.5',
  '1,62 33,62 28,56 6,56',
  '0,61 0,33 3,31.5 6,34 6,54.5',
  '0,1 0,29 3,30.5 6,28 6,7.5',
  '4,31 8,28 26,28 30,31 26,34 8,34',
];

/** Whether a segment of a mask is lit: 0 = a ... 6 = g, 7 = the point. */
export function isLit(mask: number, segment: number): boolean {
  return ((mask >> segment) & 1) === 1;
}
