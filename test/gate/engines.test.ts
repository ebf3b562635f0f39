import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const OLDEST_MAJOR = 20;

interface Lockfile {
  readonly packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>;
}

/** Whether one of a range's alternatives takes the oldest supported line of Node.js in. */
function takesInOldest(range: string): boolean {
  return range.split('||').some((alternative) => {
    const [, operator, major] = /^\s*(\^|~|>=)?\s*v?(\d+|\*)/.exec(alternative) ?? [];
    if (major === '*') return true;
    return operator === '>=' ? Number(major) <= OLDEST_MAJOR : Number(major) === OLDEST_MAJOR;
  });
}

describe('the packages of the lockfile', () => {
  it('all support the oldest Node.js that the program supports: who installs it sees no warning', () => {
    const lockfile = new URL('../../package-lock.json', import.meta.url);
    const { packages } = JSON.parse(readFileSync(lockfile, 'utf8')) as Lockfile;
    const wrong = Object.entries(packages).filter(([, { engines }]) => !takesInOldest(engines?.node ?? '*'));
    expect(wrong.map(([path, { engines }]) => `${path} needs Node.js ${engines?.node}`)).to.deep.equal([]);
  });
});
