import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Relative addresses and no inline scripts: the coordinator serves the files under a strict content policy. */
export default defineConfig({
  base: './',
  plugins: [react()],
  worker: { format: 'es' },
  build: { outDir: 'dist/site', emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
