import { expect, test } from 'vitest';
import { asWritten, decimal, money, percent, scaled, share } from '../src/lib/number';

const plain = (text: string | null): string => (text ?? 'null').replaceAll('\u00a0', ' ');

test.each([
  [2304, -1, '230.4'],
  [-971, -3, '-0.971'],
  [5, -3, '0.005'],
  [-5, -1, '-0.5'],
  [0, -2, '0.00'],
  [52, 0, '52'],
  [52, 3, '52000'],
  [0, 3, '0'],
  [9007199254740991, -3, '9007199254740.991'],
])('an integer %i with scaler %i is exactly %s', (value, scaler, text) => {
  expect(scaled(value, scaler)).toBe(text);
});

test.each([0.5, NaN, Infinity, 2 ** 53])('%d is refused as a register', (value) => {
  expect(() => scaled(value, 0)).toThrow(RangeError);
});

test.each([0.5, 19, -19, NaN])('%d is refused as a scaler', (scaler) => {
  expect(() => scaled(1, scaler)).toThrow(RangeError);
});

test('decimals keep every digit, beyond what a float holds', () => {
  expect(asWritten('12345678901234567.891', 'en')).toBe('12,345,678,901,234,567.891');
  expect(asWritten('12345678901234567.891', 'id')).toBe('12.345.678.901.234.567,891');
});

test('a negative number has a minus sign and not a hyphen', () => {
  expect(decimal('-0.971', 3, 'en')).toBe('−0.971');
});

test.each(['', 'abc', '1e5', '1,5', '.5', '5.', '0x10', ' 1', 'NaN'])(
  '%j is refused as a decimal',
  (text) => {
    expect(() => decimal(text, 2, 'en')).toThrow(RangeError);
  },
);

test('rupiah are written with Rp and the separators of the language', () => {
  expect(plain(money('75124.40', 'IDR', 'id'))).toBe('Rp 75.124,40');
  expect(plain(money('75124.40', 'IDR', 'en'))).toBe('Rp 75,124.40');
  expect(plain(money('-12', 'IDR', 'id'))).toBe('−Rp 12');
});

test('money shows the decimals that the tariff rounded to, and no float touches it', () => {
  expect(plain(money('0.1', 'IDR', 'en'))).toBe('Rp 0.1');
  expect(plain(money('123456789012345678.99', 'IDR', 'id'))).toBe('Rp 123.456.789.012.345.678,99');
});

test.each(['', '12,5', 'Rp 5', 'NaN'])('%j is refused as money', (text) => {
  expect(() => money(text, 'IDR', 'id')).toThrow(RangeError);
});

test('an unknown currency is refused', () => {
  expect(() => money('1', 'RUPIAH', 'en')).toThrow(RangeError);
});

test.each([
  ['0.024', '2.4 %'],
  ['0.03', '3 %'],
  ['0.1', '10 %'],
  ['1', '100 %'],
  ['0.00005', '0.005 %'],
  ['1.25', '125 %'],
])('the rate %s is %s', (rate, text) => {
  expect(plain(percent(rate, 'en'))).toBe(text);
});

test('what is not a rate is refused', () => {
  expect(() => percent('3 %', 'en')).toThrow(RangeError);
});

test('a share is cut: only all of it is 100 %', () => {
  expect(plain(share(9999, 10000, 'en'))).toBe('99.9 %');
  expect(plain(share(999999, 1000000, 'id', 2))).toBe('99,99 %');
  expect(plain(share(96, 96, 'en'))).toBe('100 %');
  expect(plain(share(29, 100, 'en'))).toBe('29.0 %');
  expect(share(0, 0, 'en')).toBeNull();
});

test.each([
  [-1, 5],
  [1, -5],
  [NaN, 5],
])('%d of %d is refused as a share', (part, whole) => {
  expect(() => share(part, whole, 'en')).toThrow(RangeError);
});
