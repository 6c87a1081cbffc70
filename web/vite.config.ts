import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// The API that `npm run dev` talks to: the mock of `npm run mock`, or a running `nyala demo` (NYALA_API=http://localhost:8000).
const api = process.env['NYALA_API'] ?? 'http://localhost:5181';

export default defineConfig({
  plugins: [svelte()],
  base: './',
  build: {
    outDir: '../src/nyala/api/static',
    emptyOutDir: true,
    target: 'es2023',
    // Scripts and styles stay files: the server may forbid inline code.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { port: 5180, strictPort: true, proxy: { '/api': { target: api } } },
  // css: a test reads the colours.
  test: { environment: 'happy-dom', include: ['tests/**/*.test.ts'], css: true },
  // Vitest must load the browser build of Svelte.
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
});
