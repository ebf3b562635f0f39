#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { internalErrorFields } from './internal-error.js';
import { startDaemon } from './exporter/daemon.js';
import { runOnce } from './exporter/once.js';
import { checkPermissions, permissionsTable } from './exporter/permissions.js';
import { checkConfiguration, warningsOf } from './exporter/configuration.js';
import { sleep, systemClock, systemRandom } from './clock.js';
import type { Clock } from './clock.js';
import { helpText } from './cli/flag-table.js';
import { parseFlags } from './cli/flags.js';
import type { Flags } from './cli/flags.js';
import { loadConfig, parseConfig } from './config/load.js';
import type { LoadedConfig } from './config/load.js';
import { UsageError, messageOf } from './errors.js';
import { createLogger } from './log.js';
import type { Logger } from './log.js';
import { startDemo } from './simulator/demo.js';

// On a machine with much memory V8 lets the heap grow to several times what is in use before it collects: the states of
// 10,000 instances, 35 MB, then sit in a process of 240 MB. Read each time a limit is set, so it can be given here.
setFlagsFromString('--heap-growing-percent=25');

/** A start that hangs is waited for no longer than this once a stop is asked for; a daemon that runs stops sooner by itself. */
const STOP_MS = 4_200;
/** A name server that answers at all does so by then. */
const LOOKUP_MS = 400;

const EXIT_OK = 0;
const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

interface About {
  readonly name: string;
  readonly version: string;
  readonly revision: string;
}

interface Run {
  readonly flags: Flags;
  readonly about: About;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readConfig: () => LoadedConfig;
}

/** The whole program: resolves to the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  const flags = parseFlags(argv);
  const about = readAbout();
  if (flags.help) return print(helpText());
  if (flags.version) {
    return print(`${about.name} ${about.version} (revision ${about.revision}, Node.js ${process.version})\n`);
  }
  const clock = systemClock();
  const log = createLogger({
    // One sweep is asked for its result: only what went wrong is worth a line beside it.
    level: flags.once && flags.logLevel === 'info' ? 'warn' : flags.logLevel,
    format: flags.logFormat,
    wallNow: () => clock.toWall(clock.now()),
  });
  // Nobody knows what it left half done. Node would print the line of code and the properties of the error, secrets too.
  process.on('uncaughtException', (thrown) => {
    log.error('uncaught exception, the exporter ends', internalErrorFields(thrown));
    process.exit(EXIT_FAILURE);
  });
  if (flags.demo) return demo(flags, { about, clock, log });
  const readConfig = (): LoadedConfig => loadConfig(flags.configFile, { env: process.env });
  if (flags.configCheck) return checkConfig({ flags, about, clock, log, readConfig });
  return flags.once ? once({ flags, about, clock, log, readConfig }) : serve({ flags, about, clock, log, readConfig });
}

async function demo(flags: Flags, { about, clock, log }: Pick<Run, 'about' | 'clock' | 'log'>): Promise<number> {
  const cloud = await startDemo({ clock, instances: flags.demoInstances });
  const readConfig = (): LoadedConfig => parseConfig(cloud.configuration, { env: {}, file: 'demo' });
  try {
    const demoRun = { flags, about, clock, log, readConfig };
    return await (flags.once ? once(demoRun) : serve(demoRun));
  } finally {
    await cloud.close();
  }
}

async function checkConfig({ flags, about, clock, log, readConfig }: Run): Promise<number> {
  const { config, warnings } = await checkConfiguration(readConfig, flags.webConfigFile);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  if (flags.configCheckPermissions) {
    const permissions = await checkPermissions({ config, clock, log, version: about.version });
    print(permissionsTable(permissions));
    if (permissions.some(({ result }) => result !== 'allowed')) return EXIT_FAILURE;
  }
  return print('OK\n');
}

async function once({ about, clock, log, readConfig }: Run): Promise<number> {
  const loaded = readConfig();
  for (const warning of warningsOf(loaded)) log.warn(warning);
  const { isTTY } = process.stderr;
  const { text, isGood } = await runOnce({
    ...about,
    config: loaded.config,
    clock,
    random: systemRandom,
    log,
    onProgress: (done, total) => {
      if (isTTY) process.stderr.write(`\rpolled ${done} of ${total}${done === total ? '\n' : ''}`);
    },
  });
  print(text);
  return isGood ? EXIT_OK : EXIT_FAILURE;
}

async function serve({ flags, about, clock, log, readConfig }: Run): Promise<number> {
  const stopAsked = new Promise<void>((resolve) => {
    let isAsked = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (isAsked) {
          endBy(signal);
          process.exit(EXIT_FAILURE);
        }
        isAsked = true;
        log.info('stopping', { signal });
        resolve();
      });
    }
  });
  const starting = startDaemon({ ...flags, ...about, clock, random: systemRandom, log, readConfig });
  // A promise that nobody looked at is a bug, and no reason to stop watching backups.
  process.on('unhandledRejection', (reason) => {
    void starting.then((daemon) => daemon.onBug(reason)).catch(() => undefined);
  });
  // From the first moment on: a signal without a handler would end the process.
  process.on('SIGHUP', () => void starting.then((daemon) => daemon.reload()).catch(() => undefined));
  const { signal } = new AbortController();
  const life = async (): Promise<boolean> => {
    const daemon = await starting;
    if (flags.demo) {
      for (const { host, port } of daemon.addresses)
        print(`Open http://${host.includes(':') ? `[${host}]` : host}:${port}/\n`);
    }
    await stopAsked;
    return daemon.stop();
  };
  const late = stopAsked.then(() => sleep(clock, STOP_MS, signal)).then(() => false);
  const isWhole = await Promise.race([life(), late]);
  if (isWhole && isLookingUp()) await sleep(clock, LOOKUP_MS, signal);
  log.info('stopped');
  if (!isWhole || isLookingUp()) endBy('SIGTERM');
  return EXIT_OK;
}

function isLookingUp(): boolean {
  return process.getActiveResourcesInfo().some((name) => name.startsWith('GetAddrInfo'));
}

/**
 * At its exit Node waits for the threads of its pool, and one that a disk or a name server holds would keep the process
 * alive. The default of a signal waits for nothing. Returns only in process 1 of a container, which its own signals spare.
 */
function endBy(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function readAbout(): About {
  const manifest: { readonly name: string; readonly version: string; readonly gitHead?: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  );
  return { name: manifest.name, version: manifest.version, revision: manifest.gitHead ?? 'unknown' };
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT_OK;
}

/** `run`, with what it throws told in full on stderr, without a stack. */
async function exitCode(argv: readonly string[]): Promise<number> {
  try {
    return await run(argv);
  } catch (thrown) {
    const problems = thrown instanceof UsageError ? thrown.problems : [messageOf(thrown)];
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    return thrown instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
  }
}

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const code = await exitCode(process.argv.slice(2));
// What was printed goes out first; then the end, whatever still hangs: a timer or a socket must not hold it up.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
