import { expect } from 'chai';
import { Secret } from '../../../../dist/secret.js';
import { BasicAuth } from '../../../../dist/http/web-config/basic-auth.js';
import type { Verdict } from '../../../../dist/http/web-config/basic-auth.js';
import { normalHash } from '../../../../dist/http/web-config/bcrypt-hash.js';
import { BcryptThread } from '../../../../dist/http/web-config/bcrypt-thread.js';
import { FakeClock, settle } from '../../../helpers/fake-clock.js';

const HASH = '$2b$12$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';
const USERS = new Map([['alice', new Secret(HASH)]]);

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** Compares held open until told; every password that is compared, in order. */
class Bcrypt {
  readonly calls: { password: string; hash: string }[] = [];
  readonly #open: ((same: boolean) => void)[] = [];
  readonly auth = new BasicAuth((password, hash) => {
    this.calls.push({ password, hash });
    return new Promise((resolve) => this.#open.push(resolve));
  });

  login(user: string, password: string, from = '192.0.2.1'): Promise<Verdict> {
    return this.auth.check(USERS, { authorization: basic(user, password), from });
  }

  async answer(same: boolean): Promise<void> {
    await settle();
    this.#open.shift()?.(same);
    await settle();
  }

  /** A login that is answered at once if it has to be compared. */
  async decide(user: string, password: string, same: boolean): Promise<Verdict> {
    const verdict = this.login(user, password);
    await this.answer(same);
    return verdict;
  }
}

describe('basic authentication', () => {
  it('lets in who has the password, and compares it once', async () => {
    const bcrypt = new Bcrypt();
    expect(await bcrypt.decide('alice', 'open:sesame', true)).to.equal('granted');
    expect(await bcrypt.login('alice', 'open:sesame')).to.equal('granted');
    expect(bcrypt.calls).to.deep.equal([{ password: 'open:sesame', hash: HASH }]);
  });

  it('remembers a refusal too', async () => {
    const bcrypt = new Bcrypt();
    expect(await bcrypt.decide('alice', 'wrong', false)).to.equal('denied');
    expect(await bcrypt.login('alice', 'wrong')).to.equal('denied');
    expect(bcrypt.calls).to.have.length(1);
  });

  it('does for an unknown user the same work as for a known one, at the same cost, and never lets one in', async () => {
    const bcrypt = new Bcrypt();
    expect(await bcrypt.decide('mallory', 'guess', true)).to.equal('denied');
    expect(await bcrypt.login('mallory', 'guess')).to.equal('denied');
    expect(bcrypt.calls).to.have.length(1);
    expect(bcrypt.calls[0]!.hash.slice(0, 7)).to.equal('$2b$12$');
    expect(bcrypt.calls[0]!.hash).to.have.length(60).and.not.equal(HASH);
  });

  it('compares nothing without a well-formed header', async () => {
    const bcrypt = new Bcrypt();
    const headers = [
      undefined,
      '',
      'Basic',
      'Basic !!!!',
      'Basic YWxpY2U=',
      'Bearer YTpi',
      'Basic YTpi=',
      'Basic  YTpi',
    ];
    for (const authorization of headers) {
      expect(await bcrypt.auth.check(USERS, { authorization, from: '192.0.2.1' }), authorization).to.equal('denied');
    }
    expect(bcrypt.calls).to.deep.equal([]);
  });

  it('compares one password at a time, and the same login only once', async () => {
    const bcrypt = new Bcrypt();
    const logins = [bcrypt.login('alice', 'a'), bcrypt.login('alice', 'b'), bcrypt.login('alice', 'a')];
    await settle();
    expect(bcrypt.calls.map(({ password }) => password)).to.deep.equal(['a']);
    await bcrypt.answer(true);
    expect(bcrypt.calls.map(({ password }) => password)).to.deep.equal(['a', 'b']);
    await bcrypt.answer(false);
    expect(await Promise.all(logins)).to.deep.equal(['granted', 'denied', 'granted']);
  });

  it('goes by a changed hash, and by the loss of a user, at once', async () => {
    const bcrypt = new Bcrypt();
    await bcrypt.decide('alice', 'old', true);
    const attempt = { authorization: basic('alice', 'old'), from: '192.0.2.1' };
    const changed = bcrypt.auth.check(new Map([['alice', new Secret(HASH.replace('zG', 'zH'))]]), attempt);
    await bcrypt.answer(false);
    expect(await changed).to.equal('denied');
    const lost = bcrypt.auth.check(new Map([['bob', new Secret(HASH)]]), attempt);
    await bcrypt.answer(false);
    expect(await lost).to.equal('denied');
  });

  it('remembers 100 results; guesses do not push out who knows the password', async () => {
    const bcrypt = new Bcrypt();
    await bcrypt.decide('alice', 'right', true);
    for (let guess = 0; guess < 150; guess++) await bcrypt.decide('alice', `guess ${guess}`, false);
    expect(bcrypt.calls).to.have.length(151);
    expect(await bcrypt.login('alice', 'right')).to.equal('granted');
    expect(await bcrypt.login('alice', 'guess 149')).to.equal('denied');
    expect(await bcrypt.login('alice', 'guess 51')).to.equal('denied');
    expect(bcrypt.calls).to.have.length(151);
    await bcrypt.decide('alice', 'guess 50', false);
    expect(bcrypt.calls).to.have.length(152);
  });

  it('lets one address have 4 passwords waiting and all together 32, so that others get their turn', async () => {
    const bcrypt = new Bcrypt();
    const guesses = Array.from({ length: 50 }, (_, index) => bcrypt.login('alice', `guess ${index}`));
    expect(await Promise.all(guesses.slice(4))).to.deep.equal(Array(46).fill('busy'));
    const other = bcrypt.login('alice', 'right', '192.0.2.2');
    for (const same of [false, false, false, false, true]) await bcrypt.answer(same);
    expect(await other).to.equal('granted');
    expect(await Promise.all(guesses.slice(0, 4))).to.deep.equal(Array(4).fill('denied'));

    const crowd = Array.from({ length: 33 }, (_, index) => bcrypt.login('alice', `x${index}`, `198.51.100.${index}`));
    expect(await crowd[32]).to.equal('busy');
    for (let waiting = 0; waiting < 32; waiting++) await bcrypt.answer(false);
    expect(await crowd[31]).to.equal('denied');
  });

  it('forgets a compare that failed and goes on', async () => {
    let fail = true;
    const auth = new BasicAuth(async () => {
      if (fail) throw new Error('no thread');
      return true;
    });
    const attempt = { authorization: basic('alice', 'a'), from: '192.0.2.1' };
    const thrown = await auth.check(USERS, attempt).catch((error: unknown) => error);
    expect(thrown).to.be.an('error').with.property('message', 'no thread');
    fail = false;
    expect(await auth.check(USERS, attempt)).to.equal('granted');
  });
});

describe('bcrypt', () => {
  /** Of "open sesame", as htpasswd writes it, at cost 4. */
  const SESAME = '$2y$04$fJ6Eoc2MM.eARKknKSIHZu1I/8Lk4RmFyZgczeQLiN4UGeKOlqJX6';
  const clock = new FakeClock();
  const thread = new BcryptThread(clock);
  after(() => thread.close());

  async function matches(password: string, hash: string): Promise<boolean> {
    const normal = normalHash(hash);
    return normal instanceof Secret && thread.compare(password, normal.reveal());
  }

  it('compares the hashes of htpasswd and of others, whatever minor version they name', async () => {
    for (const version of ['2y', '2a', '2b', '2x', '2', '1a']) {
      expect(await matches('open sesame', SESAME.replace('2y', version)), version).to.equal(true);
      expect(await matches('open sesamf', SESAME.replace('2y', version)), version).to.equal(false);
    }
    expect(await matches('open sesame', `${SESAME}\n`)).to.equal(true);
    for (const damaged of [SESAME.slice(0, -1), SESAME.replace('fJ6E', 'fJ6%')]) {
      expect(await matches('open sesame', damaged), damaged).to.equal(false);
    }
  });

  it('ends its thread when nothing was compared for 30 s, and begins another when needed', async () => {
    await matches('x', SESAME);
    expect(clock.pendingTimers).to.equal(1);
    await clock.advance(30_000);
    expect(clock.pendingTimers).to.equal(0);
    expect(await matches('open sesame', SESAME)).to.equal(true);
  });

  it('leaves nobody waiting when it is closed', async () => {
    const answer = matches('open sesame', SESAME.replace('$04$', '$20$')).catch((error: unknown) => error);
    await settle();
    await thread.close();
    expect(await answer).to.be.an('error');
  });
});
