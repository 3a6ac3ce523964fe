import ts from 'typescript';

/** A piece of code that the documentation shows. */
export interface Sample {
  /** Path of the document in the repository. */
  readonly document: string;
  /** The file that the code belongs to, when its first line says so: `// src/product.model.ts`. */
  readonly file?: string;
  /** The document's line that the code begins on, counted from 1. */
  readonly line: number;
  readonly code: string;
}

/** The `ts` blocks of a Markdown document. */
export function fromMarkdown(document: string, text: string): Sample[] {
  return fencedBlocks(text.split('\n')).map(block => sample(document, block));
}

/** The `ts` blocks in the comments of a source file: those of `@example` and any other. */
export function fromComments(document: string, text: string): Sample[] {
  const blank = text.split('\n').map(() => '');
  for (const {line, lines} of comments(text)) lines.forEach((l, i) => (blank[line + i] = l));
  return fencedBlocks(blank).map(block => sample(document, block));
}

/**
 * A sample as a module of its own. Line numbers stay those of the document, so that the compiler's
 * complaints point there. Statements that `await` go into a function, as they would in a program.
 * `implied` are imports that the sample takes for granted.
 */
export function asModule({code, line}: Sample, implied = ''): string {
  const parsed = ts.createSourceFile('sample.ts', code, ts.ScriptTarget.ES2022, true);
  const above = '\n'.repeat(line - 1) + implied;
  if (!awaitsAtTop(parsed)) return `${above}${code}\nexport {};\n`;
  const imports = parsed.statements.filter(ts.isImportDeclaration);
  const end = imports.at(-1)?.end ?? 0;
  const body = code.slice(end);
  return `${above}${code.slice(0, end)} export async function sample() {${body}\n}\n`;
}

interface Block {
  readonly line: number;
  readonly lines: readonly string[];
}

function sample(document: string, {line, lines}: Block): Sample {
  const file = /^\/\/ (\S+\.ts)$/.exec(lines[0] ?? '')?.[1];
  return {document, file, line, code: lines.join('\n')};
}

function fencedBlocks(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const indent = /^(\s*)```(?:ts|typescript)\s*$/.exec(lines[at])?.[1];
    if (indent === undefined) continue;
    const end = lines.findIndex((text, index) => index > at && text.trim() === '```');
    if (end < 0) throw new Error(`the block of line ${at + 1} has no end`);
    const inside = lines.slice(at + 1, end).map(text => text.slice(indent.length));
    blocks.push({line: at + 2, lines: inside});
    at = end;
  }
  return blocks;
}

/** The doc comments of a source file, without their stars; `line` counts from 0. */
function comments(text: string): Block[] {
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].map(match => ({
    line: text.slice(0, match.index).split('\n').length - 1,
    lines: match[0].split('\n').map(line => line.replace(/^\s*(\/\*\*|\*\/|\* ?)/, '')),
  }));
}

function awaitsAtTop(file: ts.SourceFile): boolean {
  const awaits = (node: ts.Node): boolean => {
    if (ts.isAwaitExpression(node)) return true;
    if (ts.isForOfStatement(node) && node.awaitModifier) return true;
    if (ts.isFunctionLike(node) || ts.isClassLike(node)) return false;
    return ts.forEachChild(node, awaits) ?? false;
  };
  return awaits(file);
}
