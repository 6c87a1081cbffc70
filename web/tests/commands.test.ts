import { expect, test } from 'vitest';
import { isOpen, merged, STATES, stops, WAY } from '../src/lib/commands';
import type { Command, CommandState } from '../src/lib/types';

function command(state: CommandState, passed: CommandState[], id = 'c1', created_s = 100): Command {
  return {
    id,
    meter_id: 1,
    kind: 'switch_open',
    state,
    created_s,
    created_by: 'operator',
    reason: '',
    expires_s: 999,
    steps: passed.map((each, index) => ({ at_s: created_s + index, state: each, text: '' })),
  };
}
const line = (of: Command): string =>
  stops(of)
    .map(({ state, reached, here }) => `${here ? '*' : ''}${state}${reached ? '' : '?'}`)
    .join(' ');

test('a command that goes well fills its line', () => {
  expect(line(command('queued', ['queued']))).toBe('*queued sent? executed? verified?');
  expect(line(command('sent', ['queued', 'sent']))).toBe('queued *sent executed? verified?');
  expect(line(command('delivered', ['queued', 'sent', 'delivered']))).toBe(
    'queued *sent executed? verified?',
  );
  expect(line(command('verified', ['queued', 'sent', 'executed', 'verified']))).toBe(
    'queued sent executed *verified',
  );
});

test('a command that ends badly shows how far it came and nothing after', () => {
  expect(line(command('failed', ['queued', 'sent', 'failed']))).toBe('queued sent *failed');
  expect(line(command('expired', ['queued', 'expired']))).toBe('queued *expired');
  expect(line(command('cancelled', ['queued', 'cancelled']))).toBe('queued *cancelled');
});

test('an unknown command is shown as unknown, is still chased, and can still be found done', () => {
  const lost = command('unknown', ['queued', 'sent', 'unknown']);
  expect(line(lost)).toBe('queued sent *unknown');
  expect(isOpen(lost)).toBe(true);
  expect(line(command('executed', ['queued', 'sent', 'unknown', 'executed']))).toBe(
    'queued sent *executed verified?',
  );
});

test('verified by its effect without an answer: the stop that was passed over is reached', () => {
  const seen = stops(command('verified', ['queued', 'sent', 'verified']));
  expect(seen.find(({ state }) => state === 'executed')).toMatchObject({ reached: true, at_s: null });
});

test('every state of the API has its row; only what has not left can be taken back', () => {
  expect(Object.entries(STATES).filter(([, row]) => row.cancellable)).toHaveLength(1);
  expect(STATES.queued.cancellable).toBe(true);
  expect(WAY.every((state) => state in STATES)).toBe(true);
  expect(Object.entries(STATES).every(([, row]) => !(row.final && row.cancellable))).toBe(true);
});

test('news of a command replaces what was known of it; the newest stands first', () => {
  const first = command('queued', ['queued'], 'a', 100);
  const second = command('queued', ['queued'], 'b', 200);
  const list = merged(merged([first], second), command('sent', ['queued', 'sent'], 'a', 100));
  expect(list.map(({ id, state }) => `${id} ${state}`)).toEqual(['b queued', 'a sent']);
});
