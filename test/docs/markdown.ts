import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = join(__dirname, '../..');

/** Every Markdown file of the repository, as a path from its top. */
export function markdownFiles(): string[] {
  const at = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: folder !== '.' })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
      .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)));
  return [...at('.'), ...at('docs')].sort();
}

export function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The text without fenced blocks and code spans: what remains is prose, with links. */
export function prose(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

/** Fenced blocks of a language, without the indentation of the list that they stand in. */
export function blocks(text: string, language: string): string[] {
  return [...text.matchAll(/^( *)```(\w*)\n([^]*?)^ *```$/gm)]
    .filter(([, , named]) => named === language)
    .map(([, indent = '', , body = '']) => body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''));
}

/** What is shown as code: fenced blocks of shells, and code spans. */
export function code(text: string): string[] {
  const fences = ['sh', 'console', ''].flatMap((language) => blocks(text, language));
  const spans = [...text.replaceAll(/^ *```[^]*?^ *```$/gm, '').matchAll(/`([^`\n]+)`/g)];
  return [...fences.flatMap((block) => block.split('\n')), ...spans.map(([, span = '']) => span)];
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors(text: string): Set<string> {
  const seen = new Map<string, number>();
  const headings = [...text.replaceAll(/^ *```[^]*?^ *```$/gm, '').matchAll(/^#{1,6} +(.+?) *#*$/gm)];
  return new Set(
    headings.map(([, title = '']) => {
      const slug = title
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replaceAll(/[*_`]/g, (mark) => (mark === '_' ? '_' : ''))
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
        .replaceAll(' ', '-');
      const times = seen.get(slug) ?? 0;
      seen.set(slug, times + 1);
      return times === 0 ? slug : `${slug}-${times}`;
    }),
  );
}

/** What stands between two marks: `<!-- name -->` and `<!-- /name -->`. @throws Error where they are missing */
export function between(text: string, name: string): string {
  const found = new RegExp(`<!-- ${name} -->([^]*?)<!-- /${name} -->`).exec(text)?.[1];
  if (found === undefined) throw new Error(`the marks of ${name} are missing`);
  return found;
}

/** First cells of a table's rows, where they are code. */
export function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, cell = '']) => cell);
}

/** Every source file below a folder, with its text. */
export function sources(folder: string): { file: string; text: string }[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => relative(ROOT, join(parentPath, name)))
    .map((file) => ({ file, text: read(file) }));
}
