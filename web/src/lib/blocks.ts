// Campaigns of blocks as the screen tells them: the stages of a block on its way, counted from the steps of the API.

import type { BlockCampaign, BlockMove, BlockState, BlockStep } from './block_types';
import type { Tone } from './commands';

export const BLOCK_TONES: Record<BlockState, Tone> = {
  awaiting_approval: 'warn',
  running: 'busy',
  cancelling: 'warn',
  over: 'good',
  cancelled: 'calm',
  rejected: 'calm',
};

export const STEP_TONES: Record<BlockStep, Tone> = {
  new: 'calm',
  grouped: 'busy',
  ready: 'busy',
  listening: 'busy',
  whole: 'good',
  staged: 'busy',
  checked: 'busy',
  scheduled: 'busy',
  late: 'warn',
  behind: 'warn',
  withdrawn: 'warn',
  verified: 'good',
  rolled_back: 'bad',
  cancelled: 'calm',
  failed: 'bad',
};

/** Steps in which a meter has the whole block. */
const WHOLE: BlockStep[] = [
  'whole',
  'staged',
  'checked',
  'scheduled',
  'late',
  'withdrawn',
  'verified',
  'rolled_back',
  'cancelled',
];
/** Steps in which a meter knows its instant. */
const TOLD: BlockStep[] = ['scheduled', 'late', 'verified', 'rolled_back'];

export type StageName = 'sent' | 'whole' | 'told' | 'verified';
export interface Stage {
  name: StageName;
  done: number;
  of: number;
}

const sum = (campaign: BlockCampaign, steps: BlockStep[]): number =>
  steps.reduce((all, step) => all + (campaign.counts[step] ?? 0), 0);

/** What has been done, stage by stage; a table is not told an instant: it carries its own. */
export function stages(campaign: BlockCampaign): Stage[] {
  const of = campaign.meters;
  const all: Stage[] = [
    {
      name: 'sent',
      done: Math.min(campaign.fragments, campaign.fragments_total),
      of: campaign.fragments_total,
    },
    { name: 'whole', done: sum(campaign, WHOLE), of },
    { name: 'told', done: sum(campaign, TOLD), of },
    { name: 'verified', done: sum(campaign, ['verified']), of },
  ];
  return campaign.kind === 'firmware' ? all : all.filter(({ name }) => name !== 'told');
}

/** Meters that will not get there by themselves. */
export const lost = (campaign: BlockCampaign): number => sum(campaign, ['failed', 'rolled_back']);

export const isOpen = (campaign: BlockCampaign): boolean =>
  campaign.moves.length > 0 || campaign.state === 'cancelling';

/** What this person may say of it now: who ordered does not approve. */
export function blockMoves(
  campaign: BlockCampaign,
  user: string,
  may: (permission: string) => boolean,
): BlockMove[] {
  return campaign.moves.filter((move) => {
    if (move === 'approve') return may('commands.approve') && user !== campaign.created_by;
    return may(move === 'reject' ? 'commands.approve' : 'blocks.send');
  });
}

/** A version of firmware as people say it: 0x0102 is 1.2; a table has a plain number. */
export function versionText(campaign: Pick<BlockCampaign, 'kind' | 'version'>): string {
  return campaign.kind === 'firmware' ? firmwareText(campaign.version) : String(campaign.version);
}

export const firmwareText = (version: number): string => `${version >> 8}.${version & 0xff}`;

export interface ImageHead {
  model: number;
  version: number;
  bytes: number;
}

const MAGIC = 'NYF1';
const HEAD = 12;
const SIGNATURE = 64;

/** What a signed image says of itself; null for a file that is none.  Whether it is signed right, the server says. */
export function imageHead(file: Uint8Array): ImageHead | null {
  if (file.length <= HEAD + SIGNATURE) return null;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = String.fromCharCode(...file.slice(0, 4));
  if (magic !== MAGIC || view.getUint32(8, true) !== file.length - HEAD - SIGNATURE) return null;
  return { model: view.getUint8(4), version: view.getUint16(6, true), bytes: file.length };
}

const CHUNK = 0x8000;

export function base64(file: Uint8Array): string {
  let text = '';
  for (let at = 0; at < file.length; at += CHUNK)
    text += String.fromCharCode(...file.subarray(at, at + CHUNK));
  return btoa(text);
}
