import { expect } from 'chai';
import { Scratch, startExporter } from '../helpers/program.js';
import type { RunningExporter } from '../helpers/program.js';

const CONFIG = `accounts:
  - name: a
    credentials: {type: access_key, access_key_id: test-key-id, access_key_secret: test-key-secret}
    regions: [{id: cn-hangzhou, endpoint: "http://127.0.0.1:9"}]
    instances: [{id: rm-1, region: cn-hangzhou}]
`;
const FAMILY = 'alicloud_rds_backup_exporter_web_config_last_reload_successful';
const FRAMES = 'http_server_config: {headers: {X-Frame-Options: deny}}\n';

describe('the web configuration of a running daemon', function () {
  this.timeout(180_000);
  const scratch = new Scratch();
  const started: RunningExporter[] = [];

  afterEach(async () => {
    for (const { program } of started.splice(0)) await program.stop();
  });
  after(() => scratch.remove());

  async function start(...flags: string[]): Promise<RunningExporter> {
    const exporter = await startExporter([`--config.file=${scratch.file('config.yaml', CONFIG)}`, ...flags]);
    started.push(exporter);
    return exporter;
  }

  /** The value of the gauge, and a header that the web configuration asks for. */
  async function look({ url }: RunningExporter): Promise<readonly [string | undefined, string | null]> {
    const response = await fetch(`${url}/metrics`);
    const value = new RegExp(`^${FAMILY} (\\S+)$`, 'm').exec(await response.text())?.[1];
    return [value, response.headers.get('x-frame-options')];
  }

  it('shows in a metric that its file is broken, while the last good one stays in force, and that it is mended', async () => {
    const exporter = await start(`--web.config.file=${scratch.file('web.yaml', FRAMES)}`);
    expect(await look(exporter)).to.deep.equal(['1', 'deny']);
    scratch.file('web.yaml', FRAMES.replace('deny', 'never'));
    expect(await look(exporter)).to.deep.equal(['0', 'deny']);
    expect(exporter.program.stderr).to.contain('msg="web configuration is broken, the last good one stays"');
    scratch.file('web.yaml', FRAMES.replace('deny', 'sameorigin'));
    expect(await look(exporter)).to.deep.equal(['1', 'sameorigin']);
  });

  it('is not spoken of where there is none', async () => {
    const exporter = await start();
    expect((await look(exporter))[0]).to.equal(undefined);
  });
});
