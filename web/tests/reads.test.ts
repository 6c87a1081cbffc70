import { expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { id } from '../src/i18n/id';
import { printed, told, written } from '../src/lib/reads';

test('the fields of the form become the rhythm of the API', () => {
  expect(written('every', 15, '06:30')).toBe('every 15m');
  expect(written('daily', 15, '06:30')).toBe('daily 06:30');
  expect(written('month-end', 15, '06:30')).toBe('month-end');
});

test.each([
  ['every 15m', 'Every 15 min', 'Setiap 15 menit'],
  ['daily 06:30', 'Daily at 06:30', 'Setiap hari pukul 06:30'],
  ['month-end', 'At month end', 'Akhir bulan'],
])('%s is said in both languages', (rhythm, english, indonesian) => {
  expect(told(rhythm, en.reads)).toBe(english);
  expect(told(rhythm, id.reads)).toBe(indonesian);
});

test('registers are printed in thousands, all else as the catalogue says', () => {
  const row = { name: '', obis: '', kind: '', label_en: '', label_id: '' };
  expect(printed(3483, { ...row, unit: 'Wh', scaler: 0 }, 'en', [1, 1])).toBe('3.483\u00a0kWh');
  expect(printed(2301, { ...row, unit: 'V', scaler: -1 }, 'en', [1, 1])).toBe('230.1\u00a0V');
  expect(printed(7, undefined, 'en', [1, 1])).toBe('7');
});
