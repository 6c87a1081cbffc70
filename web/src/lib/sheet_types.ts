// The shapes of data sheets in /api/v1.

export interface SheetRow {
  label_en: string;
  label_id: string;
  value_en: string;
  value_id: string;
  clause: string;
}

export interface Datasheet {
  model: { name: string; title: string };
  groups: { name: string; label_en: string; label_id: string; rows: SheetRow[] }[];
}
