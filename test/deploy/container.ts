/** Builds the Dockerfile for real, on base images made from this machine's own Node: no image registry is asked. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './helm.js';

const CERTIFICATES = '/etc/ssl/certs';
const BUILD_TOOLS = ['sh', 'env', 'find', 'rm', 'mkdir'];

export interface Image {
  /** The root file system. */
  readonly mount: string;
  readonly config: ImageConfig;
  remove(): void;
}

interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly ExposedPorts: Readonly<Record<string, unknown>>;
}

/** The programs that the build needs beside Node. */
export interface Tools {
  readonly buildah: string;
  readonly busybox: string;
}

export function buildImage({ buildah: program, busybox }: Tools): Image {
  const folder = mkdtempSync(join(tmpdir(), 'image-'));
  const store = ['--root', join(folder, 'store'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  const buildah = (...args: readonly string[]): string =>
    execFileSync(program, [...store, ...args], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  const build = (...args: readonly string[]): string => buildah('bud', '--isolation', 'chroot', '--quiet', ...args);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const runtime = join(folder, 'runtime');
    copyNode(runtime);
    build('--tag', 'gcr.io/distroless/nodejs24-debian12:nonroot', '--file', standIn(runtime), runtime);
    const builder = join(folder, 'builder');
    cpSync(runtime, builder, { recursive: true, verbatimSymlinks: true });
    copyBuildTools(builder, busybox);
    build('--tag', 'docker.io/library/node:24-bookworm-slim', '--file', standIn(builder), builder);
    rmSync(runtime, { recursive: true });
    rmSync(builder, { recursive: true });
    build(
      '--pull-never',
      ...npmVolumes(),
      '--build-arg',
      'REVISION=abc',
      '--file',
      'deploy/docker/Dockerfile',
      '--tag',
      'built',
      '.',
    );
    const container = buildah('from', '--pull-never', 'built');
    const inspected: { OCIv1: { config: ImageConfig } } = JSON.parse(buildah('inspect', '--type', 'image', 'built'));
    return { mount: buildah('mount', container), config: inspected.OCIv1.config, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Node where distroless has it, and the libraries that it is linked with. */
function copyNode(target: string): void {
  const node = process.execPath;
  const libraries = execFileSync('ldd', [node], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const path of libraries) copy(path, join(target, path));
  copy(node, join(target, 'nodejs/bin/node'));
  for (const folder of ['dev', 'etc', 'proc', 'tmp']) mkdirSync(join(target, folder));
}

function copyBuildTools(target: string, busybox: string): void {
  const npm = join(dirname(process.execPath), '../lib/node_modules/npm');
  cpSync(npm, join(target, 'usr/lib/node_modules/npm'), { recursive: true });
  copy(busybox, join(target, 'bin/busybox'));
  for (const tool of BUILD_TOOLS) symlinkSync('busybox', join(target, 'bin', tool));
  mkdirSync(join(target, 'usr/bin'), { recursive: true });
  symlinkSync('/bin/env', join(target, 'usr/bin/env'));
  symlinkSync('/nodejs/bin/node', join(target, 'usr/bin/node'));
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(target, 'usr/bin/npm'));
}

/** A Dockerfile that takes the whole folder; its npm looks into this machine's cache first. */
function standIn(folder: string): string {
  const path = `${folder}.dockerfile`;
  const environment = `PATH=/usr/bin:/bin HOME=/root npm_config_prefer_offline=true npm_config_cafile=${CERTIFICATES}/ca-certificates.crt`;
  writeFileSync(path, `FROM scratch\nCOPY . /\n${existsSync(join(folder, 'bin')) ? `ENV ${environment}\n` : ''}`);
  return path;
}

/** How this machine reaches its package registry; mounted for the build, in no layer. */
function npmVolumes(): string[] {
  const cache = execFileSync('npm', ['config', 'get', 'cache', '--loglevel=error'], { encoding: 'utf8' }).trim();
  const volumes = [
    [join(homedir(), '.npmrc'), '/root/.npmrc', 'ro'],
    [cache, '/root/.npm', 'rw'],
    [CERTIFICATES, CERTIFICATES, 'ro'],
  ];
  return volumes.filter(([path = '']) => existsSync(path)).flatMap((volume) => ['--volume', volume.join(':')]);
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { dereference: true });
}

/** Starts what the image starts, as its user, in a root that is mounted read-only. It sees this machine's network. */
export function start({ mount, config }: Image, args: readonly string[]): ChildProcess {
  const script = [
    'mount --bind "$0" "$0"',
    'mount -o remount,ro,bind "$0"',
    'for folder in dev proc; do mount --bind /$folder "$0/$folder"; done',
    'exec chroot --userspec="$@"',
  ].join(' && ');
  const env = Object.fromEntries(config.Env.map((entry) => entry.split(/=(.*)/s)));
  return spawn('unshare', ['--mount', 'sh', '-c', script, mount, config.User, mount, ...config.Entrypoint, ...args], {
    env: { ...env, PATH: process.env.PATH, ALIBABA_CLOUD_ECS_METADATA_DISABLED: 'true' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
}
