import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Scratch } from '../helpers/program.js';
import { itOnEachRelease } from '../helpers/release.js';
import { ALERTS, DEPLOY } from './rules-file.js';

const TOOL_TIMEOUT_MS = 180_000;
const RUNBOOKS = new URL('runbooks/', DEPLOY);
const ROOT = new URL('..', DEPLOY);
const { homepage }: { homepage: string } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'));
const PUBLISHED = `${homepage.replace('#readme', '')}/blob/main/`;

const pages = readdirSync(RUNBOOKS).map((file) => ({ file, text: readFileSync(new URL(file, RUNBOOKS), 'utf8') }));

/** One a line; a line that begins with an operator goes on with the one before. */
function queriesIn(text: string): readonly string[] {
  return [...text.matchAll(/^```promql\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .replaceAll(/^#.*\n/gm, '')
      .split(/\n(?![-+*/<>]|and\b|or\b|unless\b)/)
      .filter((query) => query.trim() !== ''),
  );
}

describe('runbooks', () => {
  it('are one page for each alert and no other', () => {
    expect(pages.map(({ file }) => file).toSorted()).to.deep.equal(ALERTS.map(({ alert }) => `${alert}.md`).toSorted());
  });

  it('are where the alerts point', () => {
    for (const { alert, annotations } of ALERTS) {
      expect(annotations?.runbook_url).to.equal(`${PUBLISHED}deploy/runbooks/${alert}.md`);
      expect(existsSync(new URL(`deploy/runbooks/${alert}.md`, ROOT)), alert).to.be.true;
    }
  });

  it('say what it means, how to look, what to do and when to silence', () => {
    for (const { file, text } of pages) {
      const headings = text.split('\n').filter((line) => line.startsWith('#') && !line.startsWith('# What it'));
      expect(headings.slice(0, 2), file).to.deep.equal([`# ${file.replace('.md', '')}`, '## What it means']);
      expect(headings, file).to.include.members(['## How to look', '## What to do', '## When to silence']);
      expect(text, file).to.include('```promql');
    }
  });

  itOnEachRelease('show queries that Prometheus can read', function (release) {
    this.timeout(TOOL_TIMEOUT_MS);
    const promtool = release.need(this, 'promtool');
    const found = pages.flatMap(({ text }) => queriesIn(text));
    expect(found.length).to.be.greaterThan(2 * pages.length);
    const rules = found.map((expr, index) => ({ record: `query${index}`, expr }));
    const scratch = new Scratch();
    const file = scratch.file('queries.json', JSON.stringify({ groups: [{ name: 'runbooks', rules }] }));
    try {
      execFileSync(promtool, ['check', 'rules', file], { stdio: 'pipe' });
    } finally {
      scratch.remove();
    }
  });
});
