// Who is signed in, and the catalogue that goes with the server.  `null` user: nobody; `undefined`: not asked yet.

import { api, Problem, whenSignedOut } from './api';
import { countAlarms } from './badge.svelte';
import { setClock } from './clock.svelte';
import type { AlarmKind, Quality, Quantity, User } from './types';
import { adoptLanguage } from '../i18n/i18n.svelte';

let user = $state.raw<User | null | undefined>(undefined);
let problem = $state.raw<Problem | null>(null);
let quantities = $state.raw<ReadonlyMap<string, Quantity>>(new Map());
let alarms = $state.raw<ReadonlyMap<string, AlarmKind>>(new Map());
let qualities = $state.raw<ReadonlyMap<number, Quality>>(new Map());

export const session = {
  get user() {
    return user;
  },
  /** Why the start failed, other than that nobody is signed in. */
  get problem() {
    return problem;
  },
  get quantities() {
    return quantities;
  },
  get qualities() {
    return qualities;
  },
  get alarms() {
    return alarms;
  },
};

/** Whether the user's role has a permission; the server asks again. */
export function may(permission: string): boolean {
  return user?.permissions.includes(permission) ?? false;
}

async function enter(entered: User): Promise<void> {
  adoptLanguage(entered.language);
  // Without the fleet's clock the browser's must do; the page of the fleet will say what is wrong.
  const [catalogue, fleet] = await Promise.all([api.catalogue(), api.fleet().catch(() => null)]);
  quantities = new Map(catalogue.quantities.map((row) => [row.name, row]));
  qualities = new Map(catalogue.qualities.map((row) => [row.code, row]));
  alarms = new Map(catalogue.alarms.map((row) => [row.name, row]));
  if (fleet) {
    countAlarms(fleet.alarms);
    setClock(fleet.now_s, fleet.zone);
  }
  user = entered;
}

/** Ask the server whether the browser's cookie still holds. */
export async function resume(): Promise<void> {
  problem = null;
  try {
    await enter((await api.session()).user);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.status === 401) user = null;
    else problem = error;
  }
}

export async function signIn(name: string, password: string): Promise<void> {
  await enter((await api.signIn(name, password)).user);
}

export async function signOut(): Promise<void> {
  try {
    await api.signOut();
  } catch (error) {
    // A session that is gone already is what was wanted.
    if (!(error instanceof Problem && error.status === 401)) throw error;
  }
  user = null;
}

whenSignedOut(() => (user = null));
