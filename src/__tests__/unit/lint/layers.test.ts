import assert from 'node:assert/strict';
import {existsSync, readdirSync} from 'node:fs';
import {join, relative, resolve} from 'node:path';
import {ESLint, type Linter} from 'eslint';
import {configs} from 'typescript-eslint';

const root = resolve(__dirname, '../../../..').replace(/[\\/]\.build$/, '');

/** What a room may not import of the others. */
const refused: Record<string, string[]> = {
  protocol: ['core', 'client', 'mixins', 'adapters', 'components', 'index.ts'],
  client: ['core', 'mixins', 'adapters', 'components', 'index.ts'],
  core: ['client', 'mixins', 'adapters', 'components', 'index.ts'],
  mixins: ['core/match.ts', 'client', 'adapters', 'components', 'index.ts'],
  'adapters/loopback': ['client', 'adapters/postgres', 'components', 'index.ts'],
  'adapters/postgres': ['client', 'mixins', 'adapters/socketio', 'components', 'index.ts'],
  'adapters/socketio': ['client', 'mixins', 'adapters/postgres', 'components', 'index.ts'],
  components: ['client', 'index.ts'],
};

const allowed: Record<string, string[]> = {
  client: ['protocol', 'client'],
  core: ['protocol', 'core'],
  mixins: ['core/change.ts', 'protocol/errors.ts', 'mixins'],
  'adapters/loopback': ['core', 'protocol', 'mixins'],
  'adapters/postgres': ['core', 'protocol'],
  components: ['core', 'protocol', 'mixins', 'adapters'],
};

const refusedPackages: Record<string, string[]> = {
  protocol: ['@loopback/core', 'socket.io', 'pg', 'node:crypto'],
  client: ['@loopback/core', 'socket.io', 'pg', 'node:crypto', 'tslib'],
  core: ['@loopback/core', '@loopback/repository', 'socket.io', 'socket.io-client', 'pg'],
  mixins: ['pg', 'socket.io', 'express'],
  'adapters/loopback': ['pg', 'socket.io'],
  'adapters/postgres': ['@loopback/core', 'socket.io'],
  'adapters/socketio': ['@loopback/core', 'pg'],
};

const allowedPackages: Record<string, string[]> = {
  client: ['socket.io-client'],
  core: ['node:crypto'],
  mixins: ['@loopback/repository', 'node:crypto'],
  'adapters/postgres': ['pg', 'pg-logical-replication'],
  'adapters/socketio': ['socket.io'],
  components: ['@loopback/rest', 'jsonwebtoken'],
};

describe('the lint of import directions', function () {
  this.timeout(60_000);

  for (const [room, others] of Object.entries(refused)) {
    it(`refuses ${others.join(', ')} in ${room}`, async () => {
      for (const other of others) {
        const found = await lint(room, `import '${specifier(room, other)}';`);
        assert.deepEqual(found, ['import-x/no-restricted-paths'], other);
      }
    });
  }

  for (const [room, others] of Object.entries(allowed)) {
    it(`allows ${others.join(', ')} in ${room}`, async () => {
      for (const other of others) {
        assert.deepEqual(await lint(room, `import '${specifier(room, other)}';`), [], other);
      }
    });
  }

  for (const [room, names] of Object.entries(refusedPackages)) {
    it(`refuses ${names.join(', ')} in ${room}, as a type too`, async () => {
      for (const name of names) {
        const found = await lint(room, `import '${name}';`);
        assert.deepEqual(found, ['no-restricted-imports'], name);
        const typeOnly = await lint(room, `export type {A} from '${name}';`);
        assert.deepEqual(typeOnly, ['no-restricted-imports'], name);
      }
    });
  }

  for (const [room, names] of Object.entries(allowedPackages)) {
    it(`allows ${names.join(', ')} in ${room}`, async () => {
      for (const name of names) {
        assert.deepEqual(await lint(room, `import '${name}';`), [], name);
      }
    });
  }

  it('finds a circle of imports', async () => {
    const found = await lint('__tests__/support/lint', "import './second';", 'first.ts');
    assert.deepEqual(found, ['import-x/no-cycle']);
  });

  it('refuses a barrel inside, and lets the entries of the package be', async () => {
    const barrel = "export * from './change';";
    assert.deepEqual(await lint('core', barrel, 'index.ts'), ['no-restricted-syntax']);
    assert.deepEqual(await lint('client', "export * from './client';", 'index.ts'), []);
  });
});

describe('the lint of types', function () {
  this.timeout(60_000);

  it('refuses any, @ts-ignore and an exported function without a return type', async () => {
    const any = 'export function take(value: any): void { void value; }';
    assert.ok((await lint('core', any)).includes('@typescript-eslint/no-explicit-any'));
    const ignore = "// @ts-ignore\nexport const a: string = 'a';";
    assert.ok((await lint('core', ignore)).includes('@typescript-eslint/ban-ts-comment'));
    const bare = 'export function give() { return 1; }';
    assert.deepEqual(await lint('core', bare), [
      '@typescript-eslint/explicit-module-boundary-types',
    ]);
  });
});

let eslint: ESLint | undefined;

/** The rules that a text breaks as a file of a room. Rules that need type information are off. */
async function lint(room: string, code: string, name = 'offered-by-a-test.ts') {
  eslint ??= new ESLint({
    cwd: root,
    overrideConfig: {...configs.disableTypeChecked, files: ['**/*.ts']} as Linter.Config,
  });
  const [result] = await eslint.lintText(`${code}\n`, {filePath: join(root, 'src', room, name)});
  return result.messages.map(message => message.ruleId ?? message.message);
}

/** How a file of `room` would import a file of `place`, the first one where it is a folder. */
function specifier(room: string, place: string): string {
  const bare = relative(join(root, 'src', room), fileOf(place)).replace(/\.ts$/, '');
  return bare.startsWith('.') ? bare : `./${bare}`;
}

function fileOf(place: string): string {
  const path = join(root, 'src', place);
  if (place.endsWith('.ts')) {
    assert.ok(existsSync(path), `there is no ${path}: the rule would not see the import`);
    return path;
  }
  const files = existsSync(path) ? readdirSync(path, {recursive: true, encoding: 'utf8'}) : [];
  const first = files.filter(file => file.endsWith('.ts')).sort()[0];
  assert.ok(first, `there is no file in ${path}: the rule would not see the import`);
  return join(path, first);
}
