import { expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { id } from '../src/i18n/id';
import { eventText } from '../src/lib/events';

type Tree = Record<string, unknown>;

function leaves(tree: Tree, path = ''): [string, unknown][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? leaves(value as Tree, `${path}${key}.`)
      : [[`${path}${key}`, value] as [string, unknown]],
  );
}
const say = (value: unknown): string =>
  typeof value === 'function'
    ? String((value as (...all: string[]) => string)('{1}', '{2}', '{3}'))
    : String(value);

test('the two catalogues have the same keys, none is empty', () => {
  expect(leaves(id).map(([key]) => key)).toEqual(leaves(en).map(([key]) => key));
  for (const [key, value] of [...leaves(en), ...leaves(id)]) expect(say(value).trim(), key).not.toBe('');
});

test('both languages use every value that they are given', () => {
  const other = new Map(leaves(id));
  for (const [key, value] of leaves(en)) {
    if (typeof value !== 'function') continue;
    const used = (text: string): string[] => (text.match(/\{\d\}/g) ?? []).sort();
    expect(used(say(other.get(key))), key).toEqual(used(say(value)));
  }
});

test('an event says its code in the language of the screen, an unknown one in the words of the server', () => {
  const event = { at_s: 0, code: 1, text: 'power restored', detail: 754 };
  expect(eventText(event, en, 'en').replaceAll('\u00a0', ' ')).toBe('Power restored (12 min)');
  expect(eventText(event, id, 'id').replaceAll('\u00a0', ' ')).toBe('Listrik pulih (12 mnt)');
  expect(eventText({ ...event, code: 99, text: 'magnet' }, id, 'id')).toBe('magnet');
});
