import { keep, stored } from './stored';

export type Theme = 'light' | 'dark';

const system = window.matchMedia('(prefers-color-scheme: dark)');
let chosen = $state<Theme | null>(stored<Theme>('theme', ['light', 'dark']));
let dark = $state(system.matches);

function show(): void {
  if (chosen) document.documentElement.dataset['theme'] = chosen;
}

system.addEventListener('change', () => (dark = system.matches));
show();

export const theme = {
  get now(): Theme {
    return chosen ?? (dark ? 'dark' : 'light');
  },
};

export function toggleTheme(): void {
  chosen = theme.now === 'dark' ? 'light' : 'dark';
  keep('theme', chosen);
  show();
}
