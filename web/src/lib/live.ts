// The live stream (Server-Sent Events).  The browser reconnects by itself; what it gave up on is opened again here.

import { address } from './api';
import { countAlarms } from './badge.svelte';
import type { Command, FleetPulse, MeterUpdate } from './types';

const REOPEN_MS = 5000;

export interface Listeners {
  meter?: (update: MeterUpdate) => void;
  command?: (command: Command) => void;
  fleet?: (pulse: FleetPulse) => void;
  /** Alarms of a meter moved, or one was acknowledged. */
  alarm?: (told: { meter_id: string | number }) => void;
  /** The stream stands again after a break: what happened meanwhile must be read. */
  again?: () => void;
  /** Whether the stream stands. */
  state?: (connected: boolean) => void;
}

function parsed<V>(take: ((value: V) => void) | undefined) {
  return (event: MessageEvent<string>): void => take?.(JSON.parse(event.data) as V);
}

/** Listen to one meter, or to the fleet; gives back what ends it. */
export function listen(meter: string | number | null, to: Listeners): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let broken = false;

  const open = (): void => {
    source = new EventSource(address('/live', { meter: meter ?? undefined }));
    source.addEventListener('meter', parsed(to.meter));
    source.addEventListener('command', parsed(to.command));
    source.addEventListener('alarm', parsed(to.alarm));
    source.addEventListener(
      'fleet',
      parsed<FleetPulse>((pulse) => {
        countAlarms(pulse.alarms);
        to.fleet?.(pulse);
      }),
    );
    source.addEventListener('open', () => {
      if (broken) to.again?.();
      broken = false;
      to.state?.(true);
    });
    source.addEventListener('error', () => {
      broken = true;
      to.state?.(false);
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null;
      timer = setTimeout(open, REOPEN_MS);
    });
  };

  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}
