import {defineConfig} from 'rolldown';

/**
 * The client as one ES module. Its CommonJS form and its declarations are what `tsc` makes of the
 * same sources; socket.io-client stays an import, so that an application has it once.
 */
export default defineConfig({
  input: 'src/client/index.ts',
  external: ['socket.io-client'],
  platform: 'neutral',
  tsconfig: 'src/client/tsconfig.json',
  output: {file: 'dist/client/index.mjs', format: 'esm', sourcemap: true},
});
