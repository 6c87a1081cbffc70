// The shapes of completeness and places in /api/v1; `types.ts` has the conventions.

export const BYS = ['site', 'feeder', 'group', 'gateway', 'meter'] as const;
export type By = (typeof BYS)[number];

/** `within`: only the meters of the line `key` of that kind. */
export interface CompletenessAsked {
  by: By;
  from: string;
  to: string;
  within: By | '';
  key: string;
}

/** One line of the table: a value for each of its days. */
export interface CompletenessLine {
  key: string;
  name: string;
  meters: number;
  silent: number;
  expected: number[];
  received: number[];
  estimated: number[];
  missing: number;
}

/** The lines with most that is missing; `total` counts all.  Days are UTC days. */
export interface CompletenessTable {
  by: By;
  days: string[];
  lines: CompletenessLine[];
  total: number;
}

/** A site; null degrees: nobody has said where it is.  `meters_on`: of an incident, those that still have its alarm. */
export interface Site {
  site: string;
  lat: number | null;
  lon: number | null;
  meters: number;
  meters_on: number;
}
