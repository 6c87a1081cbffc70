import { keep, stored } from './stored';

export type Theme = 'light' | 'dark';

const system = window.matchMedia('(prefers-color-scheme: dark)');
let chosen = $state<Theme | null>(stored<Theme>('theme', ['light', 'dark']));
let dark = $state(system.matches);

export const theme = {
  get now(): Theme {
    return chosen ?? (dark ? 'dark' : 'light');
  },
};

function show(): void {
  document.documentElement.dataset['theme'] = theme.now;
}

system.addEventListener('change', () => {
  dark = system.matches;
  show();
});
show();

export function toggleTheme(): void {
  chosen = theme.now === 'dark' ? 'light' : 'dark';
  keep('theme', chosen);
  show();
}
