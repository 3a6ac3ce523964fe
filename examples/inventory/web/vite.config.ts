import {fileURLToPath} from 'node:url';
import vue from '@vitejs/plugin-vue';
import {defineConfig} from 'vite';

/** Where `npm start` runs; `npm run web:dev` passes everything but the page itself on to it. */
const server = process.env.INVENTORY_URL ?? 'http://127.0.0.1:3000';
const passedOn = [
  '/categories', '/products', '/users', '/login', '/demo-people', '/supplier', '/health',
];

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [vue()],
  build: {outDir: 'dist', emptyOutDir: true, target: 'es2022', cssTarget: 'chrome123'},
  server: {
    host: '127.0.0.1',
    proxy: {
      ...Object.fromEntries(passedOn.map(path => [path, server])),
      '/realtime': {target: server, ws: true},
    },
  },
});
