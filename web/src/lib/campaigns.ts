// Command campaigns as the screen tells them: the states of the API, none of our own.

import type { Campaign, CampaignMove, CampaignState, Member, MemberState } from './campaign_types';
import type { Tone } from './commands';
import { row } from './csv';

export const CAMPAIGN_TONES: Record<CampaignState, Tone> = {
  awaiting: 'warn',
  running: 'busy',
  paused: 'warn',
  stopped: 'bad',
  done: 'good',
  cancelled: 'calm',
  rejected: 'calm',
  expired: 'bad',
};

export const MEMBER_TONES: Record<MemberState, Tone> = {
  verified: 'good',
  ordered: 'busy',
  waiting: 'calm',
  failed: 'bad',
  expired: 'bad',
  cancelled: 'calm',
};

/** In the order of the bar: what is done on the left, what has gone wrong on the right. */
export const MEMBER_STATES = Object.keys({
  verified: 0,
  ordered: 0,
  waiting: 0,
  cancelled: 0,
  expired: 0,
  failed: 0,
} satisfies Record<MemberState, number>) as MemberState[];

/** Whether something may still move. */
export function isUnderWay(campaign: Campaign): boolean {
  return campaign.moves.length > 0 || campaign.counts.ordered > 0;
}

/** What this person may say of it now: who ordered does not approve, and each move wants its permission. */
export function movesOf(
  campaign: Campaign,
  user: string,
  may: (permission: string) => boolean,
): CampaignMove[] {
  return campaign.moves.filter((move) => {
    if (move === 'approve') return may('commands.approve') && user !== campaign.created_by;
    return may(move === 'reject' ? 'commands.approve' : 'commands.order_many');
  });
}

/** How many have ended, in whole per cent; 100 only where all have. */
export function endedPct(campaign: Campaign): number {
  const open = campaign.counts.waiting + campaign.counts.ordered;
  return campaign.meters ? Math.floor((100 * (campaign.meters - open)) / campaign.meters) : 100;
}

/** Serial numbers as people paste them: one a line, or with commas, semicolons, blanks between; each once. */
export function serialsOf(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

export function resultCsv(members: Member[]): string {
  const head = ['serial', 'state', 'command', 'text'];
  const rows = members.map((each) => [each.serial, each.state, each.command_id, each.text]);
  return `${[head, ...rows].map(row).join('\r\n')}\r\n`;
}
