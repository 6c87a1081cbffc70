import { expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { id } from '../src/i18n/id';
import type { Campaign, CampaignMove } from '../src/lib/campaign_types';
import {
  CAMPAIGN_TONES,
  endedPct,
  isUnderWay,
  MEMBER_STATES,
  MEMBER_TONES,
  movesOf,
  resultCsv,
  serialsOf,
} from '../src/lib/campaigns';
import { instantOf, kwhText, LIVES, toggled, wallText, whOf } from '../src/lib/lives';

const counts = { waiting: 0, ordered: 0, verified: 0, failed: 0, expired: 0, cancelled: 0 };

function campaign(said: Partial<Campaign>): Campaign {
  return {
    id: 1,
    name: 'all',
    kind: 'read',
    state: 'running',
    created_s: 0,
    created_by: 'ani',
    approved_by: '',
    reason: 'audit',
    pace: 60,
    stop_pct: 20,
    stop_min: 10,
    life_s: 3600,
    expires_s: 86_400,
    meters: 0,
    counts,
    history: [],
    moves: [],
    ...said,
  };
}

test('every state of a campaign, of its meters and of a life has words in both languages', () => {
  for (const words of [en, id]) {
    for (const state of Object.keys(CAMPAIGN_TONES))
      expect(words.campaigns.states).toHaveProperty(state, expect.stringMatching(/\S/));
    for (const state of MEMBER_STATES) expect(words.campaigns.members[state]).toMatch(/\S/);
    for (const state of LIVES) expect(words.life.states[state]).toMatch(/\S/);
  }
  expect([...MEMBER_STATES].sort()).toEqual(Object.keys(MEMBER_TONES).sort());
});

const BOTH: CampaignMove[] = ['approve', 'reject', 'cancel'];
test.each([
  ['ani', ['commands.approve', 'commands.order_many'], ['reject', 'cancel']],
  ['budi', ['commands.approve', 'commands.order_many'], BOTH],
  ['budi', ['commands.approve'], ['approve', 'reject']],
  ['budi', [], []],
])('%s with %j may say %j', (user, permissions, expected) => {
  const moves = movesOf(campaign({ moves: BOTH }), user, (each) => permissions.includes(each));
  expect(moves).toEqual(expected);
});

test('a campaign is followed while one of its commands is under way, also after its end', () => {
  expect(isUnderWay(campaign({ moves: ['pause'] }))).toBe(true);
  expect(isUnderWay(campaign({ state: 'cancelled', counts: { ...counts, ordered: 1 } }))).toBe(true);
  expect(isUnderWay(campaign({ state: 'done' }))).toBe(false);
});

test('all have ended only where all have', () => {
  expect(endedPct(campaign({ meters: 1000, counts: { ...counts, verified: 999, ordered: 1 } }))).toBe(99);
  expect(endedPct(campaign({ meters: 2, counts: { ...counts, failed: 2 } }))).toBe(100);
});

test('serial numbers are taken as they are pasted, each once', () => {
  expect(serialsOf(' A1, B2;C3\r\nA1\n\tD4 ')).toEqual(['A1', 'B2', 'C3', 'D4']);
  expect(serialsOf(' \n')).toEqual([]);
});

test('the results are a file that a spreadsheet reads', () => {
  const member = {
    meter_id: 1,
    serial: 'N1',
    state: 'failed',
    command_id: null,
    text: 'no, "never"',
  } as const;
  expect(resultCsv([member])).toBe('serial,state,command,text\r\nN1,failed,,"no, ""never"""\r\n');
});

test.each([
  ['1234.5', 1_234_500],
  [' 0,001 ', 1],
  ['7', 7_000],
  ['1.2345', null],
  ['-1', null],
  ['1.000.000', null],
  ['', null],
])('%j kWh is %j Wh', (text, wh) => {
  expect(whOf(text)).toBe(wh);
});

test('what a register shows is read back', () => {
  for (const wh of [0, 1, 999, 1_000, 3_482_117, 99_999_999_999]) expect(whOf(kwhText(wh))).toBe(wh);
});

test('an instant of a wall clock is read back, and what a zone leaves out is none', () => {
  for (const zone of ['Asia/Jakarta', 'Europe/Berlin', 'America/St_Johns'])
    for (const at_s of [1_795_528_800, 1_774_749_600, 1_774_753_200])
      expect(instantOf(wallText(at_s, zone), zone)).toBe(at_s);
  expect(instantOf('2026-03-29T02:30', 'Europe/Berlin')).toBeNull();
  expect(instantOf('', 'UTC')).toBeNull();
});

test('a choice toggles', () => {
  expect([...toggled(null, 3)]).toEqual([3]);
  expect([...toggled(new Set([3, 4]), 3)]).toEqual([4]);
});
