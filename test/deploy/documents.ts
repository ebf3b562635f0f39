import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './helm.js';

export interface Document {
  /** Relative to the repository. */
  readonly name: string;
  readonly path: string;
  readonly text: string;
}

/** All Markdown of the repository that is written for readers. */
export const documents: readonly Document[] = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'deploy/README.md',
  ...pagesIn('docs'),
  ...pagesIn('deploy/runbooks'),
].map((name) => ({ name, path: join(root, name), text: readFileSync(join(root, name), 'utf8') }));

function pagesIn(folder: string): readonly string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`);
}

export function documentNamed(name: string): Document {
  const found = documents.find((document) => document.name === name);
  if (found === undefined) throw new Error(`no document ${name}`);
  return found;
}

/** The code blocks of a document in one language. */
export function codeBlocks({ text }: Document, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^ *\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms'))].map(([, code = '']) =>
    dedent(code),
  );
}

/** Blocks within a list are indented. */
function dedent(code: string): string {
  const indent = /^ */.exec(code)?.[0] ?? '';
  return code.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
}

interface Link {
  readonly target: string;
  readonly anchor: string;
}

/** Links and images whose target is in the repository. */
export function relativeLinks({ text }: Document): readonly Link[] {
  const prose = text.replaceAll(/^ *```.*?^ *```$/gms, '');
  return [...prose.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)].map(([, target = '', anchor = '']) => ({
    target,
    anchor,
  }));
}
