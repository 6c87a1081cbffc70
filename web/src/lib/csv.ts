// A profile as a file for a spreadsheet: start and end in UTC and local, primary energy with its unit in a column of its own, the quality by name.

import { iso } from './api';
import { primary, type Ratio } from './ratio';
import type { Profile, Quality } from './types';
import { localTime } from './zone';

const HEAD = ['start_utc', 'end_utc', 'start_local', 'zone', 'import', 'export', 'unit', 'quality'];

function local(at_s: number, zone: string): string {
  const { day, hour, minute } = localTime(at_s, zone);
  return `${day} ${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

/** RFC 4180; a cell that a spreadsheet would take for a formula is quoted with an apostrophe before it. */
export function row(cells: (string | number | null)[]): string {
  return cells
    .map((cell) => {
      if (typeof cell === 'number') return String(cell);
      const text = /^[=+\-@\t\r]/.test(cell ?? '') ? `'${cell ?? ''}` : (cell ?? '');
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(',');
}

export function profileCsv(
  profile: Profile,
  zone: string,
  qualities: ReadonlyMap<number, Quality>,
  ratio: Ratio,
): string {
  const rows = profile.import_wh.map((imported, index) => {
    const start = profile.start_s + index * profile.period_s;
    const quality = qualities.get(profile.quality[index] ?? 0)?.name ?? '';
    return row([
      iso(start),
      iso(start + profile.period_s),
      local(start, zone),
      zone,
      primary(imported, ratio),
      primary(profile.export_wh[index] ?? null, ratio),
      'Wh',
      quality,
    ]);
  });
  return `${[row(HEAD), ...rows].join('\r\n')}\r\n`;
}

export function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
