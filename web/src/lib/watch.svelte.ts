// One meter while somebody looks at it: what was asked, what the live stream says since, and the commands under way.

import { api } from './api';
import { notBefore } from './clock.svelte';
import { isOpen, merged } from './commands';
import type { MeterFaces } from './lcd';
import { listen } from './live';
import { Resource } from './resource.svelte';
import { may } from './session.svelte';
import type { AlarmRow, Command, CommandKind, Meter, MeterEvent, MeterUpdate } from './types';

/** The stream may be broken just when a command ends: while one is under way it is asked after as well. */
const CHASE_MS = 4000;
const REFRESH_MS = 60_000;
/** Alarms that the page of a meter shows; the others are in the list. */
const ALARMS = 20;

export class Watch {
  readonly meter = new Resource<Meter>();
  readonly commands = new Resource<Command[]>();
  readonly events = new Resource<MeterEvent[]>();
  readonly alarms = new Resource<AlarmRow[]>();
  readonly face = new Resource<MeterFaces>();
  connected = $state(false);
  /** Rises when intervals may have come in. */
  round = $state(0);

  constructor(readonly id: string) {}

  /** Begin; gives back what ends it. */
  start(): () => void {
    void this.load();
    const end = listen(this.id, {
      meter: (update) => this.#update(update),
      command: (command) => this.take(command),
      alarm: () => void this.loadAlarms(),
      state: (up) => (this.connected = up),
      again: () => void this.load(),
    });
    const chase = setInterval(() => void this.#chase(), CHASE_MS);
    const refresh = setInterval(() => void this.load(), REFRESH_MS);
    return () => {
      end();
      clearInterval(chase);
      clearInterval(refresh);
      for (const each of [this.meter, this.commands, this.events, this.alarms, this.face]) each.clear();
    };
  }

  async load(): Promise<void> {
    this.round += 1;
    await Promise.all([
      this.meter.load(() => api.meter(this.id)),
      this.commands.load(async () => (await api.commands(this.id)).items),
      this.#loadEvents(),
      this.loadAlarms(),
      this.face.load(() => api.face(this.id)),
    ]);
    notBefore(this.meter.value?.last_heard_s ?? null);
  }

  async loadAlarms(): Promise<void> {
    if (!may('alarms.read')) return;
    const asked = { state: 'all', meter: this.id } as const;
    await this.alarms.load(async (signal) => (await api.alarms(asked, null, ALARMS, signal)).items);
  }

  async send(kind: CommandKind, reason: string, key?: string, quantities?: string[]): Promise<void> {
    this.take(await api.command(this.id, kind, reason, key, quantities));
  }

  async cancel(command: Command): Promise<void> {
    this.take(await api.cancel(command.id));
  }

  /** A newer account of a command; when it has ended, the meter is read again: the switch may stand otherwise. */
  take(command: Command): void {
    if (String(command.meter_id) !== String(this.meter.value?.id ?? this.id)) return;
    const before = this.commands.value?.find(({ id }) => id === command.id);
    this.commands.value = merged(this.commands.value ?? [], command);
    notBefore(command.steps.at(-1)?.at_s ?? null);
    if (!isOpen(command) && (!before || isOpen(before))) {
      void this.meter.load(() => api.meter(this.id));
      void this.#loadEvents();
    }
  }

  async #loadEvents(): Promise<void> {
    await this.events.load(async () => (await api.events(this.id)).items);
  }

  #update(update: MeterUpdate): void {
    const meter = this.meter.value;
    if (!meter || String(update.id) !== String(meter.id)) return;
    this.meter.value = {
      ...meter,
      last_heard_s: update.last_heard_s,
      live: update.live,
      switch: update.switch,
      registers: update.registers,
      alarms: update.alarms,
    };
    notBefore(update.last_heard_s);
  }

  async #chase(): Promise<void> {
    if (!this.commands.value?.some(isOpen)) return;
    const before = this.commands.value;
    const { items } = await api.commands(this.id).catch(() => ({ items: before }));
    for (const command of items) this.take(command);
  }
}
