import { expect, test } from 'vitest';
import { joined, live, power, prefixed, register } from '../src/lib/units';
import { primary, type Ratio } from '../src/lib/ratio';
import type { Quantity } from '../src/lib/types';

const row = (unit: string, scaler: number): Quantity => ({
  name: 'x',
  obis: '',
  unit,
  scaler,
  kind: 'instant',
  label_en: '',
  label_id: '',
});

test('a register has all three decimals of a watt-hour', () => {
  expect(register(52_000, 'Wh', 'en')).toEqual({ value: '52.000', unit: 'kWh' });
  expect(register(6_123_217, 'varh', 'id')).toEqual({ value: '6.123,217', unit: 'kvarh' });
  expect(register(null, 'Wh', 'en')).toEqual({ value: '–', unit: 'kWh' });
});

test('half a watt-hour is refused', () => {
  expect(() => register(0.5, 'Wh', 'en')).toThrow(RangeError);
});

test.each([
  [999, 'W', '999 W'],
  [1000, 'W', '1.000 kW'],
  [-2884, 'W', '−2.884 kW'],
  [23_670, 'W', '23.67 kW'],
  [9_999_999, 'W', '10,000.0 kW'],
  [10_000_000, 'W', '10.00 MW'],
])('%d %s reads as %s', (value, unit, text) => {
  expect(joined(power(value, unit, 'en')).replaceAll('\u00a0', ' ')).toBe(text);
});

test('an unknown value is a dash and never a zero', () => {
  expect(power(null, 'W', 'en').value).toBe('–');
  expect(prefixed(null, 'Wh', 'en').value).toBe('–');
  expect(live(undefined, row('V', -1), 'en')).toEqual({ value: '–', unit: 'V' });
  expect(live(2304, undefined, 'en')).toEqual({ value: '–', unit: '' });
});

test('a meter behind 200/5 transformers is shown as primary, exactly, its voltage as it is', () => {
  expect(register(17_336_587, 'Wh', 'en', [200, 5])).toEqual({ value: '693,463.480', unit: 'kWh' });
  expect(live(969, row('A', -3), 'en', [200, 5])).toEqual({ value: '38.760', unit: 'A' });
  expect(live(2304, row('V', -1), 'en', [200, 5])).toEqual({ value: '230.4', unit: 'V' });
  expect(live(-562, row('W', 0), 'en', [200, 5])).toEqual({ value: '−22.48', unit: 'kW' });
  expect(primary(9_000_000_000_001, [1000, 1])).toBe(9_000_000_000_001_000);
});

test('a ratio that does not divide is cut and never rounded up', () => {
  expect(primary(2, [100, 3])).toBe(66);
  expect(primary(-2, [100, 3])).toBe(-66);
});

test.each([[[0, 5]], [[200, 0]], [[-200, 5]], [[0.5, 5]], [[NaN, 5]]] as [Ratio][])(
  '%j is refused as a ratio',
  (ratio) => {
    expect(() => primary(1, ratio)).toThrow(RangeError);
  },
);

test('a live value has the decimals of its catalogue row', () => {
  expect(live(2304, row('V', -1), 'en')).toEqual({ value: '230.4', unit: 'V' });
  expect(live(4998, row('Hz', -2), 'id')).toEqual({ value: '49,98', unit: 'Hz' });
  expect(live(-971, row('1', -3), 'en')).toEqual({ value: '−0.971', unit: '' });
  expect(live(2884, row('W', 0), 'en')).toEqual({ value: '2.884', unit: 'kW' });
});
