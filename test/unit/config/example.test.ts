import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { effectiveYaml } from '../../../dist/config/effective.js';
import { load } from './reading.js';

const EXAMPLE = readFileSync(new URL('../../../config.example.yaml', import.meta.url), 'utf8');
const ENV = { ALIBABA_CLOUD_ACCESS_KEY_ID: 'id', ALIBABA_CLOUD_ACCESS_KEY_SECRET: 'secret', EXTERNAL_ID: 'external' };

/** A key that is commented out, at any depth. */
const COMMENTED = /^( *)# ( *)([a-z_]+):(.*)$/;
/** Commented-out keys that have no default: they show an option. */
const OPTIONS = new Set([
  'access_key_secret_file',
  'duration',
  'endpoint',
  'external_id',
  'path',
  'resource_group_id',
  'role_session_name',
  'state',
  'sts_endpoint',
]);
/** The other form of a secret that the example gives already. */
const SECOND_FORM = 'access_key_secret_file';

function uncommented(wanted: (key: string) => boolean): string {
  const lines = EXAMPLE.split('\n').map((line) => {
    const [, indent = '', depth = '', key = '', rest = ''] = COMMENTED.exec(line) ?? [];
    return key !== '' && wanted(key) ? `${indent}${depth}${key}:${rest}` : line;
  });
  return lines.join('\n');
}

describe('the example configuration', () => {
  it('loads', () => {
    expect(load(EXAMPLE, ENV).warnings).to.deep.equal([]);
  });

  it('shows true defaults where it is commented out', () => {
    const explicit = uncommented((key) => !OPTIONS.has(key));
    expect(explicit).not.to.equal(EXAMPLE);
    expect(effectiveYaml(load(explicit, ENV).config)).to.equal(effectiveYaml(load(EXAMPLE, ENV).config));
  });

  it('shows options that work where they have no default', () => {
    const { config } = load(
      uncommented((key) => key !== SECOND_FORM),
      ENV,
    );
    const { polling, sharding, state } = config;
    expect({ polling, sharding }).to.deep.equal({
      polling: load(EXAMPLE, ENV).config.polling,
      sharding: { index: 0, count: 1 },
    });
    expect(state?.path).to.match(/\/state$/);
  });

  it('names every key there is', () => {
    const { config } = load(
      uncommented((key) => key !== SECOND_FORM),
      ENV,
    );
    const keys = new Set([...effectiveYaml(config).matchAll(/^[ -]*([a-z_]+):/gm)].map(([, key]) => key));
    expect(keys.size).to.be.greaterThan(40);
    for (const key of keys) expect(EXAMPLE).to.match(new RegExp(`(^|[ {])${key}:`, 'm'));
  });
});
