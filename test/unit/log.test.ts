import { expect } from 'chai';
import { createLogger } from '../../dist/log.js';
import type { LogFormat } from '../../dist/log.js';

function logged(format: LogFormat, msg: string, fields: Record<string, string | number | undefined>): string {
  let text = '';
  const wallNow = (): number => Date.parse('2026-01-15T08:30:00.123Z');
  createLogger({ level: 'info', format, wallNow, write: (line) => (text += line) }).warn(msg, fields);
  return text;
}

describe('the logger', () => {
  it('writes one logfmt line an event, quoting what needs it', () => {
    expect(
      logged('logfmt', 'poll failing', { instance_id: 'rm-1', code: undefined, name: '', text: 'a "b" c\\d' }),
    ).to.equal(
      'time=2026-01-15T08:30:00.123Z level=warn msg="poll failing" instance_id=rm-1 name="" text="a \\"b\\" c\\\\d"\n',
    );
  });

  it('lets no value forge a line or reorder one', () => {
    expect(logged('logfmt', 'x', { name: 'a\nlevel=error\u001b[31m\u202e' })).to.equal(
      'time=2026-01-15T08:30:00.123Z level=warn msg=x name="a\\nlevel=error\\u001b[31m\\u202e"\n',
    );
    expect(JSON.parse(logged('json', 'x', { name: 'a\n\u2028b' }))).to.include({ name: 'a\n\u2028b', level: 'warn' });
    expect(logged('json', 'x', { name: 'a\n\u2028b' }).split('\n')).to.have.length(2);
  });

  it('leaves out what is below its level', () => {
    let text = '';
    const log = createLogger({ level: 'warn', format: 'json', wallNow: () => 0, write: (line) => (text += line) });
    log.info('quiet');
    expect(text).to.equal('');
    log.error('loud');
    expect(JSON.parse(text)).to.deep.equal({ time: '1970-01-01T00:00:00.000Z', level: 'error', msg: 'loud' });
  });
});
