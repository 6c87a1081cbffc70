// The life of a command as the screen tells it: the states of the API, none of our own.

import type { Command, CommandState } from './types';

export type Tone = 'calm' | 'busy' | 'good' | 'warn' | 'bad';

interface StateRow {
  /** Nothing more will come. */
  final: boolean;
  cancellable: boolean;
  tone: Tone;
}

export const STATES: Record<CommandState, StateRow> = {
  queued: { final: false, cancellable: true, tone: 'calm' },
  sent: { final: false, cancellable: false, tone: 'busy' },
  delivered: { final: false, cancellable: false, tone: 'busy' },
  executed: { final: false, cancellable: false, tone: 'busy' },
  verified: { final: true, cancellable: false, tone: 'good' },
  failed: { final: true, cancellable: false, tone: 'bad' },
  expired: { final: true, cancellable: false, tone: 'bad' },
  cancelled: { final: true, cancellable: false, tone: 'calm' },
  // Shown and chased: the head-end asks the meter until it knows.
  unknown: { final: false, cancellable: false, tone: 'warn' },
};

/** The way of a command that goes well. */
export const WAY: readonly CommandState[] = ['queued', 'sent', 'executed', 'verified'];

export interface Stop {
  state: CommandState;
  at_s: number | null;
  reached: boolean;
  /** Where the command stands now. */
  here: boolean;
}

/** The stops of the line: the way, or as far as it went and then what ended it. */
export function stops(command: Command): Stop[] {
  const at = new Map(command.steps.map((step) => [step.state, step.at_s]));
  if (!at.has('queued')) at.set('queued', command.created_s);
  // An acknowledged frame is on its way to being executed: it has no stop of its own.
  const shown = command.state === 'delivered' ? 'sent' : command.state;
  const furthest = WAY.findLastIndex((state) => state === shown || at.has(state));
  if (WAY.includes(shown)) {
    const here = WAY.indexOf(shown);
    return WAY.map((state, index) => ({
      state,
      at_s: at.get(state) ?? null,
      reached: index <= here,
      here: index === here,
    }));
  }
  const gone = WAY.slice(0, furthest + 1).map((state) => ({
    state,
    at_s: at.get(state) ?? null,
    reached: true,
    here: false,
  }));
  return [...gone, { state: shown, at_s: at.get(shown) ?? null, reached: true, here: true }];
}

export function isOpen(command: Command): boolean {
  return !STATES[command.state].final;
}

/** Newest first, each once; `fresh` replaces what was known of the same command. */
export function merged(known: Command[], fresh: Command): Command[] {
  const others = known.filter(({ id }) => id !== fresh.id);
  return [fresh, ...others].sort(
    (a, b) => b.created_s - a.created_s || Number(b.id > a.id) - Number(b.id < a.id),
  );
}
