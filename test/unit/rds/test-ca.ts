import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needTool } from '../../helpers/tools.js';

/** A certificate authority that lives as long as a test. */
export interface TestCa {
  readonly folder: string;
  /** For NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
  /** For localhost and 127.0.0.1. */
  readonly valid: KeyPair;
  readonly expired: KeyPair;
  /** By nobody but itself. */
  readonly selfSigned: KeyPair;
  remove(): void;
}

export interface KeyPair {
  readonly key: string;
  readonly cert: string;
}

const CONFIG = `
[ca]
default_ca = test
[test]
new_certs_dir = .
database = index.txt
unique_subject = no
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
`;
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config', 'openssl.cnf'];
const NAMES = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];

export function createTestCa(context: Mocha.Context): TestCa {
  needTool(context, 'openssl', 'openssl');
  const folder = mkdtempSync(join(tmpdir(), 'test-ca-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const pair = (key: string, cert: string): KeyPair => ({
    key: readFileSync(join(folder, key), 'utf8'),
    cert: readFileSync(join(folder, cert), 'utf8'),
  });
  const issue = (out: string, ...validity: string[]): KeyPair => {
    const signer = ['-batch', '-notext', '-config', 'openssl.cnf', '-cert', 'ca.crt', '-keyfile', 'ca.key'];
    openssl('ca', ...signer, '-in', 'leaf.csr', '-out', out, ...validity);
    return pair('leaf.key', out);
  };
  writeFileSync(join(folder, 'openssl.cnf'), CONFIG);
  writeFileSync(join(folder, 'index.txt'), '');
  const authority = ['-addext', 'basicConstraints=critical,CA:TRUE'];
  openssl(
    'req',
    '-x509',
    ...KEY,
    ...authority,
    '-days',
    '2',
    '-subj',
    '/CN=test-ca',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
  );
  openssl('req', ...KEY, ...NAMES, '-subj', '/CN=localhost', '-keyout', 'leaf.key', '-out', 'leaf.csr');
  openssl(
    'req',
    '-x509',
    ...KEY,
    ...NAMES,
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-keyout',
    'own.key',
    '-out',
    'own.crt',
  );
  return {
    folder,
    caFile: join(folder, 'ca.crt'),
    valid: issue('valid.crt', '-days', '2'),
    expired: issue('expired.crt', '-startdate', '20200101000000Z', '-enddate', '20200201000000Z'),
    selfSigned: pair('own.key', 'own.crt'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
