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
  },
  css: { modules: { generateScopedName: '[name]-[local]-[hash:base64:4]' } },
})
