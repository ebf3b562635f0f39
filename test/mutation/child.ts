/**
 * One run of some tests in a process of its own, as its parent asks by message: all of them with what each covers of one
 * file, or chosen ones until the first that fails. Says `loaded`, then what came of it, and exits.
 */
import { Session } from 'node:inspector';
import type { Profiler } from 'node:inspector';
import { relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import Mocha from 'mocha';

export interface RunRequest {
  /** From the working directory. */
  readonly files: readonly string[];
  /** Ids of the tests to run; undefined: all, with coverage. */
  readonly only: readonly string[] | undefined;
  /** The file whose coverage is wanted. */
  readonly subject: string;
}

export interface RunAnswer {
  /** What failed, or why the files cannot be loaded. */
  readonly failure: string | undefined;
  readonly isLoaded: boolean;
  /** What ran while the files were loaded. */
  readonly loading: Take;
  readonly tests: readonly TestRun[];
}

export interface TestRun {
  readonly id: string;
  readonly durationMs: number;
  readonly covered: readonly Take[];
}

/** What ran within one stretch of time: ranges that hold each other, the count of the innermost being the one that holds. */
export type Take = readonly Profiler.CoverageRange[];

process.once('message', (request: RunRequest) => void run(request));
process.on('unhandledRejection', (reason) => finish({ ...EMPTY, isLoaded: true, failure: String(reason) }));

const EMPTY = { failure: undefined, isLoaded: false, loading: [], tests: [] } as const;

function finish(answer: RunAnswer): void {
  process.send?.(answer, () => process.exit());
}

async function run({ files, only, subject }: RunRequest): Promise<void> {
  const cover = only === undefined ? coverageOf(pathToFileURL(resolve(subject)).href) : () => [];
  const mocha = new Mocha({ reporter: Silent, bail: only !== undefined, timeout: 20_000 });
  for (const file of files) mocha.addFile(file);
  try {
    await mocha.loadFilesAsync();
  } catch (thrown) {
    return finish({ ...EMPTY, failure: String(thrown) });
  }
  const loading = cover();
  process.send?.('loaded');
  const ids = idsOf(mocha.suite);
  if (only !== undefined) keep(mocha.suite, (test) => only.includes(ids.get(test) ?? ''));
  const covered = new Map<Mocha.Runnable, Take[]>();
  const durations = new Map<Mocha.Runnable, number>();
  const note = (tests: readonly Mocha.Runnable[]): void => {
    const take = cover();
    for (const test of tests) covered.set(test, [...(covered.get(test) ?? []), take]);
  };
  let failure: string | undefined;
  const runner = mocha.run((failures) => {
    const tests = [...ids].map(([test, id]) => ({
      id,
      durationMs: durations.get(test) ?? 0,
      covered: covered.get(test) ?? [],
    }));
    finish({ failure: failures > 0 ? (failure ?? 'a hook failed') : undefined, isLoaded: true, loading, tests });
  });
  runner.on('fail', (test, error) => (failure ??= `${test.fullTitle()}: ${String(error)}`));
  runner.on('test end', (test) => {
    durations.set(test, test.duration ?? 0);
    note([test]);
  });
  // What runs before all tests of a suite matters to each of them.
  runner.on('hook end', (hook) => note(hook.ctx?.currentTest ? [hook.ctx.currentTest] : testsOf(hook.parent)));
  return undefined;
}

class Silent extends Mocha.reporters.Base {}

/** What has run since it was last called. */
function coverageOf(url: string): () => Take {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return () => {
    let ranges: Take = [];
    // Within one thread the answer comes before `post` returns.
    session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      ranges = result
        .filter((script) => script.url === url)
        .flatMap((script) => script.functions.flatMap((f) => f.ranges));
    });
    return ranges;
  };
}

function testsOf(suite: Mocha.Suite | undefined): readonly Mocha.Test[] {
  return suite === undefined ? [] : [...suite.tests, ...suite.suites.flatMap(testsOf)];
}

/** The file, from the working directory, and the place in it. */
function idsOf(root: Mocha.Suite): ReadonlyMap<Mocha.Runnable, string> {
  const counts = new Map<string, number>();
  return new Map(
    testsOf(root).map((test) => {
      const file = relative(process.cwd(), test.file ?? '');
      const count = counts.get(file) ?? 0;
      counts.set(file, count + 1);
      return [test, `${file}#${count}`];
    }),
  );
}

function keep(suite: Mocha.Suite, isWanted: (test: Mocha.Test) => boolean): void {
  suite.tests = suite.tests.filter(isWanted);
  for (const child of suite.suites) keep(child, isWanted);
  suite.suites = suite.suites.filter((child) => testsOf(child).length > 0);
}
