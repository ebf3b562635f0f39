import { expect } from 'chai';
import { createFleetLog } from '../../../dist/collector/event-log.js';
import { createLogger } from '../../../dist/log.js';
import { errorOf, instanceOf, taskOf } from '../../helpers/build.js';

const RM1 = instanceOf('rm-1');

function logOf(): { readonly lines: string[]; readonly tell: ReturnType<typeof createFleetLog> } {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line.replace(/^time=\S+ /, ''));
  return { lines, tell: createFleetLog(createLogger({ level: 'info', format: 'logfmt', wallNow: () => 0, write })) };
}

describe('the log of the fleet', () => {
  it('tells each odd value once, however many jobs have it', () => {
    const { lines, tell } = logOf();
    for (const job of ['1', '2']) {
      for (const value of ['Weekly', 'Daily']) {
        tell(RM1, { type: 'unexpected_value', task: taskOf(job), value: { field: 'JobMode', value } });
      }
    }
    const line = (value: string): string =>
      `level=warn msg="the API gave a value that its documentation does not list" account=production region_id=cn-hangzhou instance_id=rm-1 field=JobMode value=${value}\n`;
    expect(lines).to.deep.equal([line('Weekly'), line('Daily')]);
  });

  it('tells how a task ended, with its ids, mode and duration', () => {
    const { lines, tell } = logOf();
    const completion = { outcome: 'Failed', at: 0, durationMs: 90_400, backupJobId: '7', backupId: '99' } as const;
    tell(RM1, { type: 'task_ended', task: taskOf('7'), completion });
    expect(lines).to.deep.equal([
      'level=warn msg="backup task ended" account=production region_id=cn-hangzhou instance_id=rm-1 backup_job_id=7 backup_id=99 mode=Automated outcome=Failed duration_seconds=90\n',
    ]);
  });

  it('tells why the lookup of a task fails', () => {
    const { lines, tell } = logOf();
    const error = errorOf('server', { code: 'InternalFailure', requestId: 'R-1' });
    tell(RM1, { type: 'lookup_failing', task: taskOf('7'), error });
    expect(lines).to.deep.equal([
      'level=warn msg="backup task lookup failing; retrying" account=production region_id=cn-hangzhou instance_id=rm-1 backup_job_id=7 code=InternalFailure request_id=R-1 error="it failed: server"\n',
    ]);
  });

  it('tells why polls fail, with the code and the request id', () => {
    const { lines, tell } = logOf();
    tell(RM1, { type: 'poll_failing', error: errorOf('denied', { code: 'Forbidden.RAM', requestId: 'R-1' }) });
    expect(lines).to.deep.equal([
      'level=warn msg="poll failing" account=production region_id=cn-hangzhou instance_id=rm-1 code=Forbidden.RAM request_id=R-1 error="it failed: denied"\n',
    ]);
  });
});
