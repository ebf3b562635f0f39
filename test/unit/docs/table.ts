import { readFileSync } from 'node:fs';

/** The text of a page of docs/. */
export function page(name: string): string {
  return readFileSync(new URL(`../../../docs/${name}`, import.meta.url), 'utf8');
}

/** The rows of every Markdown table whose first column has this head, cell by cell; an escaped bar is one within a cell. */
export function rowsUnder(markdown: string, head: string): readonly (readonly string[])[] {
  const rows = markdown.split('\n').map(cellsOf);
  return rows.flatMap((cells, at) => {
    if (cells[0] !== head) return [];
    const end = rows.findIndex(({ length }, line) => line > at && length === 0);
    return rows.slice(at + 2, end);
  });
}

function cellsOf(line: string): readonly string[] {
  if (!line.startsWith('|')) return [];
  const cells = line.split(/(?<!\\)\|/).slice(1, -1);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** The texts that a cell sets as code. */
export function codeIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text!);
}
