import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Scratch } from '../../../helpers/program.js';

/** Certificates made by the openssl command in a folder of their own. */
export class Certificates {
  readonly #scratch = new Scratch();
  #serial = 1;

  get folder(): string {
    return this.#scratch.path;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  text(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  write(name: string, text: string | Buffer): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** `NAME.pem` and `NAME.key`, self-signed: an authority, or a server's own. */
  selfSigned(name: string, extensions: readonly string[] = []): void {
    this.#openssl(
      ['req', '-x509', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '30'],
      name,
      extensions,
    );
  }

  /** `NAME.pem` and `NAME.key`, signed by the authority `by`. */
  signed(name: string, by: string, extensions: readonly string[] = []): void {
    this.#openssl(['req', ...KEY, '-keyout', `${name}.key`, '-out', `${name}.csr`], name, []);
    this.write(`${name}.ext`, extensions.join('\n'));
    const serial = String(this.#serial++);
    const signing = [
      '-CA',
      `${by}.pem`,
      '-CAkey',
      `${by}.key`,
      '-set_serial',
      serial,
      '-days',
      '30',
      '-extfile',
      `${name}.ext`,
    ];
    execFileSync('openssl', ['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signing], {
      cwd: this.folder,
      stdio: 'ignore',
    });
  }

  remove(): void {
    this.#scratch.remove();
  }

  #openssl(args: readonly string[], name: string, extensions: readonly string[]): void {
    const more = extensions.flatMap((extension) => ['-addext', extension]);
    execFileSync('openssl', [...args, '-subj', `/CN=${name}`, ...more], { cwd: this.folder, stdio: 'ignore' });
  }
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
