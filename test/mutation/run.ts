import { fork } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunAnswer, RunRequest, Take, TestRun } from './child.js';
import { mutantsOf } from './mutants.js';
import type { Mutant } from './mutants.js';
import { testsThatReach } from './reach.js';

/**
 * - `killed`    a test failed
 * - `timeout`   the tests did not end: an endless loop, or a promise that nothing settles
 * - `broken`    the module cannot be loaded any more: that says nothing about the tests
 * - `survived`  every test that reaches it passed, or none does
 */
export type Fate = 'killed' | 'timeout' | 'broken' | 'survived';

export interface MutationRun {
  /** Copies of one and the same built tree; as many mutants are tried at a time. The mutated file is written in each. */
  readonly roots: readonly string[];
  /** The module to mutate and the test files that may be run, from the root. */
  readonly file: string;
  readonly tests: readonly string[];
  /** How long a run may take beyond five times what its tests took unmutated. */
  readonly graceMs?: number;
}

const GRACE_MS = 5_000;
/** For a process to start and load its tests, on a machine that is busy. */
const LOADING_MS = 60_000;
const DRY_RUN_MS = 600_000;
/** Of the time that the tests took unmutated. */
const PATIENCE = 5;

/** The fate of each mutant, in the order of the source. @throws if the tests fail before anything is mutated */
export async function runMutants(run: MutationRun): Promise<ReadonlyMap<Mutant, Fate>> {
  const { roots, file, tests } = run;
  const [root = '.'] = roots;
  const code = readFileSync(join(root, file), 'utf8');
  const distances = testsThatReach(root, file, tests);
  const nearest = Math.min(...distances.values());
  const isNear = (test: string): boolean => distances.get(test) === nearest;
  const reaching = [...distances.keys()];
  const fates = new Map<Mutant, Fate>(mutantsOf(code).map((mutant) => [mutant, 'survived']));
  // Few mutants outlive the tests that import the module themselves, and those are the quickest to run.
  for (const group of [reaching.filter(isNear), reaching.filter((test) => !isNear(test))]) {
    const survivors = [...fates].filter(([, fate]) => fate === 'survived').map(([mutant]) => mutant);
    if (group.length === 0 || survivors.length === 0) continue;
    const dry = await dryRun(root, file, group);
    await Promise.all(
      roots.map(async (own) => {
        for (let mutant = survivors.shift(); mutant !== undefined; mutant = survivors.shift()) {
          replace(join(own, file), code.slice(0, mutant.start) + mutant.replacement + code.slice(mutant.end));
          fates.set(mutant, await fateOf(run, own, testsOf(dry, mutant.runAt)));
        }
        replace(join(own, file), code);
      }),
    );
  }
  return fates;
}

async function dryRun(root: string, file: string, tests: readonly string[]): Promise<RunAnswer> {
  const dry = await runTests(root, { files: tests, only: undefined, subject: file }, DRY_RUN_MS);
  if (typeof dry !== 'string' && dry.failure === undefined) return dry;
  throw new Error(`the tests fail unmutated: ${typeof dry === 'string' ? dry : dry.failure}`);
}

async function fateOf(
  { file, graceMs = GRACE_MS }: MutationRun,
  root: string,
  tests: readonly TestRun[],
): Promise<Fate> {
  if (tests.length === 0) return 'survived';
  const only = tests.map(({ id }) => id);
  const timeoutMs = graceMs + PATIENCE * tests.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const answer = await runTests(root, { files: [...new Set(only.map(fileOf))], only, subject: file }, timeoutMs);
  if (answer === 'timeout') return 'timeout';
  if (answer === 'died') return 'killed';
  if (!answer.isLoaded) return 'broken';
  return answer.failure === undefined ? 'survived' : 'killed';
}

/** The tests that run what is at `offset`; all of them if loading the module already does. */
function testsOf({ loading, tests }: RunAnswer, offset: number): readonly TestRun[] {
  return isRun(loading, offset) ? tests : tests.filter(({ covered }) => covered.some((take) => isRun(take, offset)));
}

function isRun(take: Take, offset: number): boolean {
  let innermost = { startOffset: -Infinity, endOffset: Infinity, count: 0 };
  for (const range of take) {
    const holds = range.startOffset <= offset && offset < range.endOffset;
    if (holds && range.endOffset - range.startOffset <= innermost.endOffset - innermost.startOffset) innermost = range;
  }
  return innermost.count > 0;
}

function fileOf(testId: string): string {
  return testId.slice(0, testId.lastIndexOf('#'));
}

/** Unlinked first: the copies may be hard links of each other. */
function replace(path: string, code: string): void {
  rmSync(path);
  writeFileSync(path, code);
}

function runTests(root: string, request: RunRequest, timeoutMs: number): Promise<RunAnswer | 'timeout' | 'died'> {
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, 'child.js'), {
      cwd: root,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    const giveUp = (): void => {
      resolve('timeout');
      child.kill('SIGKILL');
    };
    let timer = setTimeout(giveUp, LOADING_MS);
    child.on('message', (answer: RunAnswer | 'loaded') => {
      if (answer !== 'loaded') return resolve(answer);
      clearTimeout(timer);
      timer = setTimeout(giveUp, timeoutMs);
    });
    child.once('exit', () => {
      clearTimeout(timer);
      resolve('died');
    });
    child.send(request);
  });
}
