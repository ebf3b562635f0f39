import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ACTIONS } from '../../dist/domain/model.js';

interface Policy {
  readonly Version: string;
  readonly Statement: readonly { readonly Effect: string; readonly Action: string; readonly Resource: string }[];
}

describe('ram-policy.json', () => {
  const policy: Policy = JSON.parse(readFileSync(new URL('../../deploy/ram-policy.json', import.meta.url), 'utf8'));

  it('allows each action that the program calls, one statement a feature, and nothing else', () => {
    expect(policy).to.have.all.keys('Version', 'Statement');
    expect(policy.Statement.map(({ Action }) => Action)).to.deep.equal(ACTIONS.map((action) => `rds:${action}`));
    expect(policy.Statement.every(({ Effect }) => Effect === 'Allow')).to.equal(true);
  });
});
