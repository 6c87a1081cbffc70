// The language of the screen: chosen here and kept, else the user's, else the browser's.

import { keep, stored } from '../lib/stored';
import type { Lang } from '../lib/types';
import { en, type Messages } from './en';
import { id } from './id';

const LANGUAGES: readonly Lang[] = ['en', 'id'];
const CATALOGUES: Record<Lang, Messages> = { en, id };

let chosen = $state<Lang | null>(stored('language', LANGUAGES));
let fallback = $state<Lang>(navigator.language.startsWith('id') ? 'id' : 'en');

const current = (): Lang => chosen ?? fallback;

export const i18n = {
  get lang(): Lang {
    return current();
  },
  get t(): Messages {
    return CATALOGUES[current()];
  },
};

/** The language of the account, unless this browser has chosen. */
export function adoptLanguage(language: string): void {
  fallback = LANGUAGES.find((each) => language.startsWith(each)) ?? fallback;
}

export function setLanguage(lang: Lang): void {
  chosen = lang;
  keep('language', lang);
}

/** A row of a table of the server in the language of the screen. */
export function label(row: { label_en: string; label_id: string } | undefined): string {
  if (!row) return '';
  return current() === 'id' ? row.label_id : row.label_en;
}
