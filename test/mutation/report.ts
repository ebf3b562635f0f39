import type { Equivalent } from './equivalents.js';
import type { Mutant } from './mutants.js';
import type { Fate } from './run.js';

export interface Source {
  /** As reported: `src/collector/api-limiter.ts`. */
  readonly path: string;
  readonly text: string;
  /** What was mutated. */
  readonly code: string;
  /** The line of the source, from 1, for an offset in `code`. */
  readonly lineAt: (offset: number) => number;
}

export interface Report {
  /** One line each: what to test, and what is wrong with the list of equivalents. */
  readonly survivors: readonly string[];
  readonly complaints: readonly string[];
  readonly summary: string;
  /** In percent, equivalents and what cannot be loaded left out. */
  readonly score: number;
}

const MAX_SHOWN = 60;

export function reportOf(
  { path, text, code, lineAt }: Source,
  fates: ReadonlyMap<Mutant, Fate>,
  equivalents: readonly Equivalent[],
): Report {
  const lines = text.split('\n');
  const unused = [...equivalents];
  const survivors: string[] = [];
  const complaints: string[] = [];
  const counts = { killed: 0, timeout: 0, broken: 0, survived: 0, equivalent: 0 };
  const tried = [...fates].map(([mutant, fate], index) => {
    const at = lineAt(mutant.start);
    const line = lines[at - 1]?.trim() ?? '';
    const mutation = mutationText(mutant, code);
    return { fate, line, mutation, where: `#${index + 1} ${path}:${at}: ${mutation}   in   ${line}` };
  });
  for (const { fate, line, mutation, where } of tried) {
    counts[fate]++;
    if (fate !== 'survived') continue;
    // Two of a line may read the same: an entry stands for one, and one that survived.
    const index = unused.findIndex((entry) => entry.line === line && entry.mutation === mutation);
    if (index === -1) survivors.push(where);
    else counts.equivalent += unused.splice(index, 1).length;
  }
  for (const { line, mutation } of unused) {
    const other = tried.find((one) => one.line === line && one.mutation === mutation);
    complaints.push(
      other === undefined
        ? `listed as equivalent, but no such mutant: ${path}: ${mutation}   in   ${line}`
        : `listed as equivalent, but ${other.fate}: ${other.where}`,
    );
  }
  const killed = counts.killed + counts.timeout;
  const score = (100 * killed) / (killed + counts.survived - counts.equivalent || 1);
  return { survivors, complaints, summary: summaryOf(path, fates.size, counts, score), score };
}

function summaryOf(
  path: string,
  total: number,
  counts: Readonly<Record<Fate | 'equivalent', number>>,
  score: number,
): string {
  const { killed, timeout, broken, survived, equivalent } = counts;
  return (
    `${path}: ${total} mutants, ${killed + timeout} killed (${timeout} by time), ${survived} survived, ` +
    `${equivalent} of these equivalent, ${broken} cannot be loaded: ${score.toFixed(1)} %`
  );
}

function mutationText({ start, end, replacement }: Mutant, code: string): string {
  const shown = (text: string): string => {
    const line = text.replaceAll(/\s+/g, ' ');
    return line.length > MAX_SHOWN ? `${line.slice(0, MAX_SHOWN - 1)}…` : line || '(nothing)';
  };
  return `${shown(code.slice(start, end))} → ${shown(replacement)}`;
}
