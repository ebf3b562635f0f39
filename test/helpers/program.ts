import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const WAIT_MS = 90_000;

/** What every program gets. A stack trace of the exporter names the lines of its sources. */
const ENVIRONMENT = {
  PATH: process.env.PATH,
  TMPDIR: tmpdir(),
  HOME: '/nonexistent',
  NODE_OPTIONS: '--enable-source-maps',
  ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true',
};

/** A started program with what it has written so far. */
export class Program {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  stdout = '';
  stderr = '';
  #onOutput: () => void = () => undefined;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(command, args, {
      env: { ...ENVIRONMENT, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#took(() => (this.stdout += text)));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.#took(() => (this.stderr += text)));
    this.exit = once(this.child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves to the match once the output holds it; rejects when the program ends or takes too long. */
  async output(pattern: RegExp): Promise<RegExpExecArray> {
    let match: RegExpExecArray | null = null;
    await within(`${pattern}`, async () => {
      for (;;) {
        match = pattern.exec(this.stderr) ?? pattern.exec(this.stdout);
        if (match !== null) return;
        const { exitCode, signalCode } = this.child;
        if (exitCode !== null || signalCode !== null)
          throw new Error(`ended with ${exitCode ?? signalCode}: ${this.stderr}`);
        await Promise.race([new Promise<void>((resolve) => (this.#onOutput = resolve)), this.exit]);
      }
    });
    return match!;
  }

  /** Sends the signal and resolves to the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.exit;
  }

  #took(append: () => void): void {
    append();
    this.#onOutput();
  }
}

/** A directory that lives as long as the test. It is made when it is first asked for: a suite left out leaves none behind. */
export class Scratch {
  #path: string | undefined;

  get path(): string {
    return (this.#path ??= mkdtempSync(join(tmpdir(), 'exporter-')));
  }

  /** Writes a file and returns its path. */
  file(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  remove(): void {
    if (this.#path !== undefined) rmSync(this.#path, { recursive: true, force: true });
  }
}

/** Runs the built exporter to its end. */
export async function runExporter(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Program & { code: number | null }> {
  const program = new Program(process.execPath, [MAIN, ...args], env);
  const code = await within('the exporter to end', () => program.exit);
  return Object.assign(program, { code });
}

export interface RunningExporter {
  readonly program: Program;
  /** Its address, without a slash at the end. */
  readonly url: string;
}

/** Starts the built exporter on a free port of loopback; resolves when it listens. */
export async function startExporter(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<RunningExporter> {
  const program = new Program(process.execPath, [MAIN, '--web.listen-address=127.0.0.1:0', ...args], env);
  const [, address] = await program.output(/listening\W+addresses\W+([\d.]+:\d+)/);
  return { program, url: `http://${address}` };
}

export interface RunningServer {
  readonly program: Program;
  readonly url: string;
}

/** Starts Prometheus or Alertmanager at an address of loopback, by itself on a free port; resolves when it is ready. */
export async function startServer(command: string, args: readonly string[], address?: string): Promise<RunningServer> {
  address ??= `127.0.0.1:${await freePort()}`;
  const program = new Program(command, [...args, `--web.listen-address=${address}`, '--log.level=warn']);
  const url = `http://${address}`;
  await eventually(`${command} to be ready`, async () => {
    const response = await fetch(`${url}/-/ready`).catch(() => undefined);
    if (program.child.exitCode !== null) throw new Error(`${command} ended: ${program.stderr}`);
    return response?.ok === true ? true : undefined;
  });
  return { program, url };
}

/** Calls `look` again and again until it gives something. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  waitMs = WAIT_MS,
): Promise<T> {
  let found: T | undefined;
  await within(
    what,
    async () => {
      for (;;) {
        found = await look();
        if (found !== undefined) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    waitMs,
  );
  return found!;
}

async function within<T>(what: string, wait: () => Promise<T>, waitMs = WAIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${waitMs / 1000} s in vain for ${what}`)), waitMs);
  });
  try {
    return await Promise.race([wait(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A port of loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
