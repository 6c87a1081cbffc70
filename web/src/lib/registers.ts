import type { Register } from './types';

export interface RegisterGroup {
  total: Register;
  rates: Register[];
}

const RATE = /^(.+)_t\d$/;

/** Totals in the order of the API, each with its rates; a rate whose total was not reported stands for itself. */
export function registerGroups(registers: Register[]): RegisterGroup[] {
  const groups = new Map<string, RegisterGroup>();
  for (const total of registers) {
    if (!RATE.test(total.name)) groups.set(total.name, { total, rates: [] });
  }
  for (const rate of registers) {
    const stem = RATE.exec(rate.name)?.[1];
    if (stem === undefined) continue;
    const group = groups.get(stem);
    if (group) group.rates.push(rate);
    else groups.set(rate.name, { total: rate, rates: [] });
  }
  for (const { rates } of groups.values()) rates.sort((a, b) => a.name.localeCompare(b.name));
  return [...groups.values()];
}
