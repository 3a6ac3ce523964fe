import ts from 'typescript';

/** What a short sample may use without importing it: the package's names first, then LoopBack's. */
const modules = [
  'loopback4-live-entities',
  'loopback4-live-entities/client',
  '@loopback/core',
  '@loopback/repository',
  '@loopback/rest',
  '@loopback/security',
];

/** Which module gives a name, for every name that these modules export. */
export function knownNames(folder: string): Map<string, string> {
  const file = `${folder}/names.ts`;
  const text = modules.map((name, index) => `import * as m${index} from '${name}';`).join('\n');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.Node16,
    moduleResolution: ts.ModuleResolutionKind.Node16,
    noResolve: false,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(file, text, rest[0]) : read(name, ...rest);
  const program = ts.createProgram([file], options, host);
  const checker = program.getTypeChecker();
  const names = new Map<string, string>();
  program.getSourceFile(file)?.statements.forEach((statement, index) => {
    if (!ts.isImportDeclaration(statement)) return;
    const symbol = checker.getSymbolAtLocation(statement.moduleSpecifier);
    for (const {name} of symbol ? checker.getExportsOfModule(symbol) : []) {
      if (!names.has(name)) names.set(name, modules[index]);
    }
  });
  return names;
}

/**
 * The imports that a sample without any takes for granted. A sample that imports something is
 * complete: a reader copies it as it is.
 */
export function impliedImports(code: string, known: ReadonlyMap<string, string>): string {
  const file = ts.createSourceFile('sample.ts', code, ts.ScriptTarget.ES2022, true);
  if (file.statements.some(ts.isImportDeclaration)) return '';
  const declared = new Set<string>();
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) (declares(node) ? declared : used).add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return [...used]
    .filter(name => known.has(name) && !declared.has(name))
    .map(name => `import {${name}} from '${known.get(name)}'; `)
    .join('');
}

/** The names that a source file exports: the samples in its own comments may use them, too. */
export function ownNames(text: string): string[] {
  const exported = /^export (?:abstract )?(?:async )?(?:class|const|function|interface|type) (\w+)/gm;
  return [...text.matchAll(exported)].map(match => match[1]);
}

/** Whether an identifier gives a name at the place where it stands. */
function declares(node: ts.Identifier): boolean {
  const {parent} = node;
  const named = ts.isClassDeclaration(parent) || ts.isInterfaceDeclaration(parent) ||
    ts.isFunctionDeclaration(parent) || ts.isVariableDeclaration(parent) ||
    ts.isTypeAliasDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent);
  return named && parent.name === node;
}
