import { expect, test } from 'vitest';
import { en } from '../src/i18n/en';
import { id } from '../src/i18n/id';
import type { BlockCampaign, BlockMove } from '../src/lib/block_types';
import {
  base64,
  BLOCK_TONES,
  blockMoves,
  imageHead,
  isOpen,
  lost,
  stages,
  STEP_TONES,
  versionText,
} from '../src/lib/blocks';

function campaign(said: Partial<BlockCampaign>): BlockCampaign {
  return {
    id: 1,
    kind: 'firmware',
    version: 0x0102,
    name: 'all',
    reason: 'repair',
    state: 'running',
    phase: 'send',
    bytes: 6_000,
    meters: 10,
    counts: {},
    fragments: 0,
    fragments_total: 76,
    orders: 0,
    activate_s: 0,
    start_s: 0,
    created_s: 0,
    created_by: 'ani',
    approved_by: '',
    updated_s: 0,
    moves: [],
    ...said,
  };
}

test('every state and step has a tone and words in both languages', () => {
  for (const { blocks } of [en, id]) {
    expect(Object.keys(blocks.states).sort()).toEqual(Object.keys(BLOCK_TONES).sort());
    expect(Object.keys(blocks.steps).sort()).toEqual(Object.keys(STEP_TONES).sort());
    for (const { name } of stages(campaign({}))) expect(blocks.stages[name]).toBeTruthy();
  }
});

test('stages count what is done up to them, and who is lost', () => {
  const counts = { listening: 1, whole: 2, scheduled: 3, verified: 2, rolled_back: 1, failed: 1 };
  const shown = campaign({ counts, fragments: 90 });
  expect(stages(shown).map(({ name, done, of }) => [name, done, of])).toEqual([
    ['sent', 76, 76],
    ['whole', 8, 10],
    ['told', 6, 10],
    ['verified', 2, 10],
  ]);
  expect(lost(shown)).toBe(2);
  expect(stages(campaign({ kind: 'configuration' })).map(({ name }) => name)).toEqual([
    'sent',
    'whole',
    'verified',
  ]);
});

test('a version is said as people say it', () => {
  expect(versionText(campaign({}))).toBe('1.2');
  expect(versionText(campaign({ kind: 'configuration', version: 7 }))).toBe('7');
});

test('who ordered does not approve, and each move wants its permission', () => {
  const moves: BlockMove[] = ['approve', 'reject', 'cancel'];
  const asked = campaign({ moves });
  expect(blockMoves(asked, 'ani', () => true)).toEqual(['reject', 'cancel']);
  expect(blockMoves(asked, 'budi', () => true)).toEqual(moves);
  expect(blockMoves(asked, 'budi', (permission) => permission === 'blocks.send')).toEqual(['cancel']);
  expect(blockMoves(asked, 'budi', () => false)).toEqual([]);
});

test('what moves by itself or may be moved is looked at again', () => {
  expect(isOpen(campaign({ moves: ['cancel'] }))).toBe(true);
  expect(isOpen(campaign({ state: 'cancelling' }))).toBe(true);
  expect(isOpen(campaign({ state: 'over' }))).toBe(false);
});

test('a file says what it is before it is sent, and another file says nothing', () => {
  const file = new Uint8Array(12 + 5 + 64);
  file.set([0x4e, 0x59, 0x46, 0x31, 2, 0, 0x02, 0x01, 5, 0, 0, 0]);
  expect(imageHead(file)).toEqual({ model: 2, version: 0x0102, bytes: 81 });
  expect(imageHead(file.slice(0, 80))).toBeNull();
  expect(imageHead(new Uint8Array(3))).toBeNull();
  file[0] = 0;
  expect(imageHead(file)).toBeNull();
});

test('base 64 of a large file is that of its bytes', () => {
  const file = Uint8Array.from({ length: 100_000 }, (_, i) => i % 251);
  expect(Uint8Array.from(atob(base64(file)), (each) => each.charCodeAt(0))).toEqual(file);
});
