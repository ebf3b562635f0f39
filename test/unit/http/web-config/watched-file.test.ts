import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, rmdirSync } from 'node:fs';
import { expect } from 'chai';
import { WatchedFile } from '../../../../dist/http/web-config/watched-file.js';
import { Certificates } from './certificates.js';

describe('a value made of files', () => {
  const files = new Certificates();
  after(() => files.remove());

  /** The concatenation of `list`'s files, which must not hold `!`. */
  function follow(): { followed: WatchedFile<string>; told: string[]; loads: () => number } {
    const told: string[] = [];
    let loads = 0;
    const followed = new WatchedFile({
      load: (readFile) => {
        loads++;
        const names = readFile(files.path('list')).toString().split(' ');
        const text = names.map((name) => readFile(files.path(name)).toString()).join('');
        if (text.includes('!')) throw new Error(`${text} is broken`);
        return text;
      },
      changed: (text) => told.push(text),
      broken: (problem) => told.push(problem.replace(/:.*/, '')),
    });
    return { followed, told, loads: () => loads };
  }

  it('is made anew when a file changes, not otherwise, and follows the files it names now', () => {
    files.write('list', 'a b');
    for (const name of ['a', 'b', 'c']) files.write(name, name);
    const { followed, told, loads } = follow();
    expect([followed.current(), followed.current(), loads()]).to.deep.equal(['ab', 'ab', 1]);
    files.write('b', 'B');
    expect([followed.current(), followed.current(), loads()]).to.deep.equal(['aB', 'aB', 2]);
    files.write('list', 'a c');
    expect([followed.current(), loads()]).to.deep.equal(['ac', 3]);
    files.write('b', 'no matter');
    expect([followed.current(), loads()]).to.deep.equal(['ac', 3]);
    expect(told).to.deep.equal(['aB', 'ac']);
  });

  it('stays as it was while something that would block is in the place of a file', () => {
    files.write('list', 'a');
    files.write('a', 'good');
    const { followed, told } = follow();
    rmSync(files.path('a'));
    execFileSync('mkfifo', [files.path('a')]);
    expect(followed.current()).to.equal('good');
    expect(told).to.deep.equal([`${files.path('a')} is not a regular file`]);
    rmSync(files.path('a'));
    files.write('a', 'better');
    expect([followed.current(), followed.problem]).to.deep.equal(['better', undefined]);
  });

  it('stays as it was while the files are broken, which is looked at again only when one changes', () => {
    files.write('list', 'a');
    files.write('a', 'good');
    const { followed, told, loads } = follow();
    files.write('a', 'bad!');
    expect([followed.current(), followed.current(), loads()]).to.deep.equal(['good', 'good', 2]);
    expect(followed.problem).to.equal('bad! is broken');
    files.write('a', 'better');
    expect([followed.current(), followed.problem]).to.deep.equal(['better', undefined]);
    expect(told).to.deep.equal(['bad! is broken', 'better']);
  });

  it('tries again each time while a file cannot be read, whether or not one changes', () => {
    files.write('list', 'a');
    files.write('a', 'good');
    const { followed, told, loads } = follow();
    mkdirSync(files.path('folder'));
    files.write('list', 'folder');
    expect([followed.current(), followed.current(), loads()]).to.deep.equal(['good', 'good', 3]);
    rmdirSync(files.path('folder'));
    expect(followed.current()).to.equal('good');
    files.write('folder', 'a file now');
    expect(followed.current()).to.equal('a file now');
    expect(told).to.deep.equal([`${files.path('folder')} is not a regular file`, 'ENOENT', 'a file now']);
  });
});
