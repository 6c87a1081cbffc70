// Data sheets of the mock: the rows of the table that are the same for every model.  For development only.

import { table } from './catalogue.mjs';
import { MODELS } from './world.mjs';

const rows = table('../meter/models/sheet.csv').filter(({ model }) => !model);
const names = [...new Set(rows.map(({ group }) => group))];

export const list = () => ({ items: MODELS.map(({ name, title }) => ({ name, title })) });

export function datasheet(name) {
  const model = MODELS.find((each) => each.name === name);
  if (!model) return null;
  const groups = names.map((group) => ({
    name: group,
    label_en: group,
    label_id: group,
    rows: rows
      .filter((row) => row.group === group)
      .map((row) => ({ ...row, value_en: row.value_en || '…', value_id: row.value_id || '…' })),
  }));
  return { model: { name, title: model.title }, groups };
}
