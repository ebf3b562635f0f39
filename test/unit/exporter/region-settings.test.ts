import type { CredentialsSpec } from '../../../dist/domain/credentials.js';
import { expect } from 'chai';
import { isSameConfig } from '../../../dist/collector/region-settings.js';
import { Scratch } from '../../helpers/program.js';
import { load } from '../config/reading.js';

const KEYS = 'access_key_id: test-id, access_key_secret: test-secret';
const ROLE = 'role_arn: "acs:ram::1:role/backup"';

/** A type's other keys, and each of its secrets with a value. */
const SECRETS: readonly (readonly [type: string, others: string, secret: string, value: string])[] = [
  ['access_key', 'access_key_secret: test-secret', 'access_key_id', 'test-id'],
  ['access_key', 'access_key_id: test-id', 'access_key_secret', 'test-secret'],
  ['sts', 'access_key_secret: test-secret, security_token: token', 'access_key_id', 'test-id'],
  ['sts', 'access_key_id: test-id, security_token: token', 'access_key_secret', 'test-secret'],
  ['sts', KEYS, 'security_token', 'token'],
  ['ram_role_arn', `${ROLE}, source: {type: access_key, ${KEYS}}`, 'external_id', 'external'],
  ['credentials_uri', '', 'uri', 'http://127.0.0.1:9/keys'],
];

describe('the credentials of an account', () => {
  const scratch = new Scratch();
  after(() => scratch.remove());

  function credentials(block: string): CredentialsSpec {
    return load(`accounts: [{name: a, regions: [cn-hangzhou], credentials: ${block}}]`).config.accounts[0]!.credentials;
  }

  /** The same secret at three places. */
  function blocksOf(block: (secret: string) => string, secret: string, value: string): Record<string, string> {
    const inFile = (name: string): string => block(`${secret}_file: ${scratch.file(name, value)}`);
    return { inline: block(`${secret}: "${value}"`), 'file a': inFile('a'), 'file b': inFile('b') };
  }

  for (const [type, others, secret, value] of SECRETS) {
    const plain = (given: string): string => `{type: ${type}, ${[others, given].filter(Boolean).join(', ')}}`;
    const nested = (given: string): string => `{type: ram_role_arn, ${ROLE}, source: ${plain(given)}}`;
    for (const [where, block] of [
      ['', plain],
      [' behind a role', nested],
    ] as const) {
      it(`are others once ${secret} of ${type}${where} moves, though it reads the same`, () => {
        const blocks = Object.entries(blocksOf(block, secret, value));
        for (const [from, before] of blocks) {
          for (const [to, after] of blocks) {
            const isSame = isSameConfig(credentials(before), credentials(after));
            expect(isSame, `${from} to ${to}`).to.equal(from === to);
          }
        }
      });
    }
  }

  it('are others once the token of a role moves, though it reads the same', () => {
    const block = (name: string): string =>
      `{type: oidc_role_arn, ${ROLE}, oidc_provider_arn: "acs:ram::1:oidc-provider/ack", oidc_token_file: ${scratch.file(name, 'token')}}`;
    expect(isSameConfig(credentials(block('a')), credentials(block('a')))).to.equal(true);
    expect(isSameConfig(credentials(block('a')), credentials(block('b')))).to.equal(false);
  });

  it('are others once an inline secret reads otherwise, and the same when a file does', () => {
    const inline = (id: string): string => `{type: access_key, access_key_id: ${id}, access_key_secret: s}`;
    expect(isSameConfig(credentials(inline('one')), credentials(inline('other')))).to.equal(false);
    const inFile = (id: string): string =>
      `{type: access_key, access_key_id_file: ${scratch.file('a', id)}, access_key_secret: s}`;
    const before = credentials(inFile('one'));
    expect(isSameConfig(before, credentials(inFile('other')))).to.equal(true);
  });
});
