import assert from 'node:assert/strict';
import {asModule, fromComments, fromMarkdown} from './extract';
import {impliedImports} from './known-names';

describe('the samples of the documentation', () => {
  it('are its ts blocks, by line, and by file where the first line names one', () => {
    const text = [
      '# Title', '```ts', "import 'a';", '```', '```sh', 'npm ci', '```',
      '- a step', '  ```ts', '  // src/b.ts', '  export const b = 1;', '  ```',
    ].join('\n');
    assert.deepEqual(fromMarkdown('README.md', text), [
      {document: 'README.md', file: undefined, line: 3, code: "import 'a';"},
      {document: 'README.md', file: 'src/b.ts', line: 10,
        code: '// src/b.ts\nexport const b = 1;'},
    ]);
  });

  it('are taken from comments without their stars, and not from the code between', () => {
    const text = [
      'const a = 1;', '/**', ' * Does it.', ' * @example', ' * ```ts', ' * if (a) {', ' *   b();',
      ' * }', ' * ```', ' */', 'export const c = "```ts";',
    ].join('\n');
    assert.deepEqual(fromComments('src/a.ts', text), [
      {document: 'src/a.ts', file: undefined, line: 6, code: 'if (a) {\n  b();\n}'},
    ]);
  });

  it('refuse a block without an end', () => {
    assert.throws(() => fromMarkdown('README.md', '```ts\nconst a = 1;'), /line 1 has no end/);
  });

  it('become modules whose lines are those of the document', () => {
    const code = 'const a = 1;';
    const [, , third] = asModule({document: 'README.md', line: 3, code}).split('\n');
    assert.equal(third, code);
  });

  it('may await at the top', () => {
    const code = "import {a} from 'a';\nawait a();";
    const text = asModule({document: 'README.md', line: 1, code});
    assert.match(text, /^import \{a\} from 'a'; export async function sample\(\) \{\nawait a\(\);\n\}/);
  });

  it('do not count the await of a function as their own', () => {
    const code = 'const f = async () => { await g(); };';
    assert.doesNotMatch(asModule({document: 'a.md', line: 1, code}), /function sample/);
  });
});

describe('a sample without imports', () => {
  const known = new Map([['versioned', 'the-package'], ['Entity', '@loopback/repository']]);

  it('takes the names of the package and of LoopBack that it uses', () => {
    assert.equal(
      impliedImports('@versioned()\nclass A extends B<Entity> {}', known),
      "import {versioned} from 'the-package'; import {Entity} from '@loopback/repository'; ",
    );
  });

  it('takes none that it declares, and none at all once it imports something', () => {
    assert.equal(impliedImports('class Entity {}\nnew Entity();', known), '');
    assert.equal(impliedImports("import {a} from 'a';\nnew Entity(a);", known), '');
  });
});
