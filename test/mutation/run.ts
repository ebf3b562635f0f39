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
/** Of the time that the tests took unmutated. */
const PATIENCE = 5;

/** The fate of each mutant, in the order of the source. @throws if the tests fail before anything is mutated */
export async function runMutants({
  roots,
  file,
  tests,
  graceMs = GRACE_MS,
}: MutationRun): Promise<ReadonlyMap<Mutant, Fate>> {
  const [root = '.'] = roots;
  const code = readFileSync(join(root, file), 'utf8');
  const distances = testsThatReach(
    join(root, file),
    tests.map((test) => join(root, test)),
  );
  const dry = await runTests(
    root,
    { files: [...distances.keys()], only: undefined, subject: join(root, file) },
    600_000,
  );
  if (typeof dry === 'string' || dry.failure !== undefined) {
    throw new Error(`the tests fail unmutated: ${typeof dry === 'string' ? dry : dry.failure}`);
  }
  const nearest = Math.min(...distances.values());
  const isNear = ({ id }: TestRun): boolean => distances.get(join(root, fileOf(id))) === nearest;
  const mutants = mutantsOf(code);
  const fates = new Map<Mutant, Fate>();
  const queue = [...mutants];
  await Promise.all(
    roots.map(async (own) => {
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        const reaching = testsOf(dry, mutant.start);
        // Few mutants outlive the tests that import the module themselves, and those are the quickest to load.
        const stages = [reaching.filter(isNear), reaching.filter((test) => !isNear(test))];
        replace(join(own, file), code.slice(0, mutant.start) + mutant.replacement + code.slice(mutant.end));
        fates.set(mutant, await fateOf({ root: own, file, stages, graceMs }));
      }
      replace(join(own, file), code);
    }),
  );
  return new Map(mutants.map((mutant) => [mutant, fates.get(mutant) ?? 'survived']));
}

interface Trial {
  readonly root: string;
  readonly file: string;
  /** The tests to run, one group after the other for as long as they pass. */
  readonly stages: readonly (readonly TestRun[])[];
  readonly graceMs: number;
}

async function fateOf({ root, file, stages, graceMs }: Trial): Promise<Fate> {
  for (const tests of stages) {
    if (tests.length === 0) continue;
    const only = tests.map(({ id }) => id);
    const files = [...new Set(only.map(fileOf))].map((test) => join(root, test));
    const timeoutMs = graceMs + PATIENCE * tests.reduce((sum, { durationMs }) => sum + durationMs, 0);
    const answer = await runTests(root, { files, only, subject: join(root, file) }, timeoutMs);
    if (answer === 'timeout') return 'timeout';
    if (answer === 'died') return 'killed';
    if (!answer.isLoaded) return 'broken';
    if (answer.failure !== undefined) return 'killed';
  }
  return 'survived';
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
