import { type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { validate } from 'dockerfile-utils';
import { doWithout, needTool } from '../helpers/tools.js';
import { buildImage, type Image, start } from './container.js';
import { root } from './helm.js';

const dockerfile = readFileSync(join(root, 'deploy/docker/Dockerfile'), 'utf8');

describe('the Dockerfile', () => {
  it('has no finding of the linter', () => {
    expect(validate(dockerfile)).to.deep.equal([]);
    expect(validate(dockerfile.replace('EXPOSE', 'EXPOZE'))).to.have.lengthOf(1);
  });

  it('ends in an image without a shell, by number as a user that is not root', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).to.match(/^\nFROM gcr\.io\/distroless\/nodejs24-debian12:nonroot\n/);
    expect(last).to.contain('\nUSER 65532:65532\n');
    expect(last).not.to.match(/^(RUN|ADD) /m);
    expect(dockerfile).not.to.contain(':latest');
  });

  it('can copy nothing but what is named for it', () => {
    const lines = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).to.deep.equal([
      '*',
      '!package.json',
      '!package-lock.json',
      '!.npmrc',
      '!tsconfig.json',
      '!src',
      '!LICENSE',
    ]);
  });
});

describe('the image', function () {
  this.timeout(180_000);
  let image: Image;

  before(function () {
    const tools = {
      buildah: needTool(this, 'buildah', 'buildah'),
      busybox: needTool(this, 'busybox', 'busybox-static'),
    };
    if (process.getuid?.() !== 0) doWithout(this, 'building the image needs root');
    image = buildImage(tools);
  });

  after(() => image?.remove());

  it('holds the program and its production dependencies, and nothing else of the tree', () => {
    const app = join(image.mount, 'app');
    expect(readdirSync(app).toSorted()).to.deep.equal(['LICENSE', 'dist', 'node_modules', 'package.json']);
    const built = readdirSync(join(app, 'dist'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(built.length).to.be.greaterThan(0);
    expect(built.filter(({ name }) => !name.endsWith('.js')).map(({ name }) => name)).to.deep.equal([]);
    const modules = readdirSync(join(app, 'node_modules'));
    const { dependencies, devDependencies } = readPackage();
    expect(Object.keys(dependencies).filter((name) => !existsSync(join(app, 'node_modules', name)))).to.deep.equal([]);
    expect(modules.filter((name) => name in devDependencies)).to.deep.equal([]);
  });

  it('has a folder for the state that its user can write, for a volume to take over', () => {
    const { uid, gid, mode } = statSync(join(image.mount, 'var/lib/exporter'));
    expect({ uid, gid, mode: mode & 0o777 }).to.deep.equal({ uid: 65_532, gid: 65_532, mode: 0o755 });
  });

  it('says what it is', () => {
    const { version } = readPackage();
    expect(image.config).to.deep.include({
      User: '65532:65532',
      WorkingDir: '/app',
      ExposedPorts: { '10525/tcp': {} },
    });
    expect(image.config.Labels).to.include({
      'org.opencontainers.image.title': 'alicloud-rds-backup-exporter',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': 'abc',
    });
    const { gitHead } = readPackage(join(image.mount, 'app'));
    expect(gitHead, 'what build_info shows as revision').to.equal('abc');
    expect(image.config.Env.filter((entry) => /KEY|SECRET|TOKEN|npm_config/i.test(entry))).to.deep.equal([]);
  });

  it('runs as its user on a read-only root and stops on SIGTERM', async function () {
    needTool(this, 'unshare', 'util-linux');
    const port = await freePort();
    const daemon = start(image, ['--demo', `--web.listen-address=127.0.0.1:${port}`]);
    try {
      const { status, body } = await answer(daemon, `http://127.0.0.1:${port}/-/healthy`);
      expect(status, body).to.equal(200);
      const { Uid } = statusOf(daemon.pid);
      expect(Uid).to.equal('65532');
    } finally {
      daemon.kill('SIGTERM');
    }
    expect(await once(daemon, 'exit')).to.deep.equal([0, null]);
  });
});

interface Package {
  readonly version: string;
  readonly gitHead?: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

function readPackage(folder = root): Package {
  const read: Package = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return read;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The first answer of a program that is starting. */
async function answer(daemon: ChildProcess, url: string): Promise<{ status: number; body: string }> {
  const log: string[] = [];
  daemon.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  for (let attempt = 0; attempt < 300 && daemon.exitCode === null; attempt += 1) {
    try {
      const response = await fetch(url);
      return { status: response.status, body: await response.text() };
    } catch {
      await sleep(100);
    }
  }
  throw new Error(`no answer, exit code ${daemon.exitCode}: ${log.join('')}`);
}

function statusOf(pid: number | undefined): { Uid: string | undefined } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return { Uid: /^Uid:\s+(\d+)/m.exec(text)?.[1] };
}
