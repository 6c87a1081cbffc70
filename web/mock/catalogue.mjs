// The catalogue of the mock: the tables of `nyala.vocab` as they stand.  For development only.

import { readFileSync } from 'node:fs';

const VOCAB = new URL('../../src/nyala/vocab/', import.meta.url);

/** Rows of a CSV file with quotes, by the names of its head. */
export const table = (name) => {
  const [head, ...rows] = readFileSync(new URL(name, VOCAB), 'utf8')
    .trim()
    .split('\n')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted ?? plain),
    );
  return rows.map((row) => Object.fromEntries(head.map((key, index) => [key, row[index]])));
};
export const quantities = table('quantities.csv').flatMap(
  ({ name, obis, unit, scaler, kind, label_en, label_id }) => {
    const row = { name, obis, unit, scaler: Number(scaler), kind, label_en, label_id };
    const rates = kind === 'energy' ? [1, 2, 3, 4, 5, 6, 7, 8] : [];
    return [
      row,
      ...rates.map((n) => ({
        ...row,
        name: `${name}_t${n}`,
        obis: obis.slice(0, -1) + n,
        label_en: `${label_en} T${n}`,
        label_id: `${label_id} T${n}`,
      })),
    ];
  },
);
const kinds = [...table('alarms.csv'), ...table('centre_alarms.csv')];
export const alarms = kinds.map(({ name, severity, unit, scaler, label_en, label_id }) => ({
  name,
  severity,
  label_en,
  label_id,
  unit: unit || null,
  scaler: Number(scaler ?? 0),
}));
export const qualities = table('quality.csv').map(({ code, name, label_en, label_id, estimated }) => ({
  code: Number(code),
  name,
  label_en,
  label_id,
  estimated: estimated === '1',
}));
