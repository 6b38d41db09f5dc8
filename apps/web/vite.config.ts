import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/**
 * `vite build` → dist/: hashed assets, and an index.html without inline script or style, so that the content security
 * policy can be as strict as R-53 asks. Nothing is inlined as `data:` either: `img-src` and `font-src` are `'self'`.
 */
export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: true,
    chunkSizeWarningLimit: 900,
    // zod is told not to compile (wardline/no-eval.ts) in the chunk that it comes in: whichever chunk is run first, no schema is made before.
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: 'zod', test: /node_modules\/zod|wardline\/no-eval/ }] } },
    },
  },
  css: { modules: { generateScopedName: '[name]-[local]-[hash:base64:4]' } },
})
