import eslint from '@eslint/js';
import {createNodeResolver, importX} from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import {layerRules} from './scripts/lint/layers.mjs';

const typescript = ['**/*.ts'];
const sources = ['src/**/*.ts', 'examples/inventory/src/**/*.ts'];
const tests = ['**/__tests__/**'];

export default tseslint.config(
  {
    ignores: [
      '**/node_modules/', '**/dist/', '**/.build/', '**/.data/', 'coverage/',
      // Compiled by the type tests, in the words of a reader of the documentation.
      'src/__tests__/types/samples/',
    ],
  },
  eslint.configs.recommended,
  {
    // Which globals exist is for the compiler to say; scripts run in Node.
    files: ['**/*.{mjs,cjs,js}'],
    rules: {'no-undef': 'off'},
  },
  {
    files: typescript,
    extends: [tseslint.configs.strict, importX.flatConfigs.typescript],
    plugins: {'import-x': importX},
    settings: {
      'import-x/resolver-next': [createNodeResolver({extensions: ['.ts', '.d.ts', '.js', '.json']})],
    },
    rules: {
      'import-x/no-cycle': ['error', {ignoreExternal: true}],
      'import-x/no-self-import': 'error',
      'import-x/no-duplicates': 'error',
      'import-x/no-mutable-exports': 'error',
      // The arguments of a mixin's constructor: TypeScript asks for `any[]` there.
      '@typescript-eslint/no-explicit-any': ['error', {ignoreRestArgs: true}],
      '@typescript-eslint/ban-ts-comment': ['error', {
        'ts-expect-error': 'allow-with-description',
        'ts-ignore': true,
        'ts-nocheck': true,
      }],
      // Decorators and generic defaults name types that are empty on purpose.
      '@typescript-eslint/no-empty-object-type': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // The application's bindings: a namespace of keys is LoopBack's own form.
      '@typescript-eslint/no-namespace': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      // Reserved for what is not a mistake: `void promise` says that nobody waits.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unused-vars': ['error', {
        argsIgnorePattern: '^_',
        ignoreRestSiblings: true,
      }],
      '@typescript-eslint/naming-convention': ['error', ...names()],
      'no-console': 'error',
      eqeqeq: ['error', 'always', {null: 'ignore'}],
      'max-len': ['error', {
        code: 100, ignoreUrls: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true,
        ignorePattern: '^import |\\} from ',
      }],
    },
  },
  {
    files: sources,
    languageOptions: {parserOptions: {projectService: true}},
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', {checksVoidReturn: false}],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', {
        considerDefaultExhaustiveForUnions: true,
      }],
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
    },
  },
  {
    files: sources,
    ignores: tests,
    rules: {
      'max-lines': ['error', {max: 300, skipBlankLines: true, skipComments: true}],
      'max-lines-per-function': ['error', {max: 60, skipBlankLines: true, skipComments: true}],
      complexity: ['error', {max: 16, variant: 'modified'}],
    },
  },
  {
    // What others compile against says its types itself.
    files: ['src/**/*.ts'],
    ignores: tests,
    rules: {'@typescript-eslint/explicit-module-boundary-types': 'error'},
  },
  ...layerRules(),
  {
    files: tests,
    rules: {
      '@typescript-eslint/naming-convention': 'off',
      'no-console': 'off',
    },
  },
  {
    // What a person reads in the terminal is these programs' output.
    files: ['examples/inventory/src/**/*.ts'],
    rules: {'no-console': 'off'},
  },
  {
    // Plain JavaScript, so that it runs as it is: the same measure of size and line, no types.
    files: ['bench/**/*.mjs'],
    plugins: {'import-x': importX},
    rules: {
      'import-x/no-cycle': ['error', {ignoreExternal: true}],
      'max-lines': ['error', {max: 250, skipBlankLines: true, skipComments: true}],
      'max-lines-per-function': ['error', {max: 60, skipBlankLines: true, skipComments: true}],
      complexity: ['error', {max: 16, variant: 'modified'}],
      eqeqeq: ['error', 'always', {null: 'ignore'}],
      'prefer-const': 'error',
      'max-len': ['error', {code: 100, ignoreUrls: true, ignoreTemplateLiterals: true}],
    },
  },
);

/** Types in PascalCase; the rest in camelCase, mixin factories and constants as the field has it. */
function names() {
  return [
    {selector: 'typeLike', format: ['PascalCase']},
    {selector: 'function', format: ['camelCase', 'PascalCase']},
    {
      selector: 'variable',
      format: ['camelCase', 'PascalCase', 'UPPER_CASE'],
      leadingUnderscore: 'allow',
    },
    {selector: 'parameter', format: ['camelCase'], leadingUnderscore: 'allow'},
    {selector: 'method', format: ['camelCase'], leadingUnderscore: 'allow'},
  ];
}
