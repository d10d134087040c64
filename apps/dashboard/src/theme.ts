import { useSyncExternalStore } from 'react';

/** `auto` follows the system. */
export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'alphaflops.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();
system.addEventListener('change', announce);

export function keptTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === kept) ?? 'auto';
}

export function applyTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  document.documentElement.dataset['theme'] = theme;
  announce();
}

/** The current theme. Charts are painted in pixels, so a change of the theme needs another paint. */
export function useShownTheme(): 'light' | 'dark' {
  return useSyncExternalStore(subscribe, shown);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, keptTheme);
}

function shown(): 'light' | 'dark' {
  const theme = keptTheme();
  return theme === 'auto' ? (system.matches ? 'dark' : 'light') : theme;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function announce(): void {
  for (const listener of listeners) listener();
}
