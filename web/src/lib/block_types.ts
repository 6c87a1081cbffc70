// Campaigns of blocks - firmware and tables for many meters - in the shapes of /api/v1.

export type BlockKind = 'firmware' | 'configuration';
export type BlockState = 'awaiting_approval' | 'running' | 'cancelling' | 'over' | 'cancelled' | 'rejected';
export type BlockMove = 'approve' | 'reject' | 'cancel';
export type BlockStep =
  | 'new'
  | 'grouped'
  | 'ready'
  | 'listening'
  | 'whole'
  | 'staged'
  | 'checked'
  | 'scheduled'
  | 'late'
  | 'behind'
  | 'withdrawn'
  | 'verified'
  | 'rolled_back'
  | 'cancelled'
  | 'failed';

export interface BlockCampaign {
  id: number;
  kind: BlockKind;
  version: number;
  name: string;
  reason: string;
  state: BlockState;
  phase: string;
  bytes: number;
  meters: number;
  counts: Partial<Record<BlockStep, number>>;
  fragments: number;
  fragments_total: number;
  orders: number;
  /** From when an image is to run, as it was ordered; 0: as soon as the meters have it. */
  activate_s: number;
  /** The same as the meters were told; 0: not yet. */
  start_s: number;
  created_s: number;
  created_by: string;
  approved_by: string;
  updated_s: number;
  moves: BlockMove[];
}

export interface BlockMeter {
  meter_id: number;
  serial: string;
  state: BlockStep;
  /** Fragments that it lacks, as it last said. */
  missing: number | null;
  why: string;
  firmware: number | null;
}

export interface NewFirmware {
  group?: number;
  meters?: number[];
  /** The signed file, in base 64. */
  image: string;
  reason: string;
  activate_s?: number;
}
