import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { Scratch, eventually, freePort, startExporter, startServer } from '../helpers/program.js';
import type { RunningExporter, RunningServer } from '../helpers/program.js';
import { describeOnEachRelease } from '../helpers/release.js';
import { compose, mountsOf } from './compose-file.js';
import type { Service } from './compose-file.js';
import { hastened } from './hastened.js';
import { DEPLOY, RULES } from './rules-file.js';

/** Scrapes and rules every second instead of every 15; everything else as it is mounted. */
const TIMES = 15;

interface Answers {
  readonly targets: {
    readonly activeTargets: readonly { labels: { job: string }; health: string; lastError: string }[];
  };
  readonly rules: {
    readonly groups: readonly { rules: readonly { name: string; health: string; lastError?: string }[] }[];
  };
  readonly alertmanagers: { readonly activeAlertmanagers: readonly { url: string }[] };
}

/**
 * The services as they would run in their containers, but as processes of this machine: what is mounted lies below a
 * folder of the service's own, and `service:port` reads as an address of loopback.
 */
describeOnEachRelease('what docker-compose.yaml starts, Grafana apart', function (release) {
  this.timeout(180_000);
  const scratch = new Scratch();
  const addresses = new Map<string, string>();
  const servers: RunningServer[] = [];
  let exporter: RunningExporter;

  function serviceOf(name: string): Service {
    const service = compose.services[name];
    if (service === undefined) throw new Error(`no service ${name}`);
    return service;
  }

  /** Says where `name:port`, with the port inside its container, is to be found; Prometheus calls itself localhost. */
  function mapped(name: string, address: string): void {
    const port = serviceOf(name).ports[0]?.split(':').at(-1);
    addresses.set(`${name === 'prometheus' ? 'localhost' : name}:${port}`, address);
  }

  async function start(name: string, command: string): Promise<RunningServer> {
    const service = serviceOf(name);
    const root = join(scratch.path, name);
    const address = `127.0.0.1:${await freePort()}`;
    mapped(name, address);
    for (const { source, target, isVolume } of mountsOf(service)) {
      mkdirSync(isVolume ? join(root, target) : dirname(join(root, target)), { recursive: true });
      if (isVolume) continue;
      let text = hastened(readFileSync(new URL(source, DEPLOY), 'utf8'), TIMES);
      for (const [inside, here] of addresses) text = text.replaceAll(inside, here);
      writeFileSync(join(root, target), text);
    }
    const args = (service.command ?? []).map((arg) => arg.replace('=/', `=${root}/`));
    const server = await startServer(command, args, address);
    servers.push(server);
    return server;
  }

  async function ask<K extends keyof Answers>(prometheus: RunningServer, what: K): Promise<Answers[K]> {
    const answer = (await (await fetch(`${prometheus.url}/api/v1/${what}`)).json()) as { data: Answers[K] };
    return answer.data;
  }

  let prometheus: RunningServer;
  let alertmanager: RunningServer;

  before(async function () {
    const [demo, ...listen] = serviceOf('exporter').command ?? [];
    expect(listen, 'an address, which the next line replaces').to.have.lengthOf(1);
    exporter = await startExporter([String(demo)]);
    mapped('exporter', new URL(exporter.url).host);
    alertmanager = await start('alertmanager', release.need(this, 'prometheus-alertmanager'));
    prometheus = await start('prometheus', release.need(this, 'prometheus'));
  });

  after(async () => {
    for (const { program } of servers) await program.stop();
    expect(await exporter?.program.stop()).to.equal(0);
    scratch.remove();
  });

  it('has Prometheus scrape the exporter and itself', async () => {
    const up = await eventually('every target to be scraped', async () => {
      const { activeTargets } = await ask(prometheus, 'targets');
      const isDone = activeTargets.length > 0 && activeTargets.every(({ health }) => health !== 'unknown');
      return isDone ? activeTargets.map(({ labels, health, lastError }) => [labels.job, health, lastError]) : undefined;
    });
    expect(up).to.deep.equal([
      ['alicloud-rds-backup', 'up', ''],
      ['prometheus', 'up', ''],
    ]);
  });

  it('has it evaluate every rule without an error', async () => {
    const rules = await eventually('every rule to be evaluated', async () => {
      const { groups } = await ask(prometheus, 'rules');
      const all = groups.flatMap((group) => group.rules);
      return all.some(({ health }) => health === 'unknown') ? undefined : all;
    });
    expect(rules.map(({ name }) => name)).to.have.members(RULES.map(({ alert, record }) => alert ?? record));
    expect(rules.filter(({ health }) => health !== 'ok')).to.deep.equal([]);
  });

  it('has it find the Alertmanager', async () => {
    const found = await eventually('an Alertmanager', async () => {
      const { activeAlertmanagers } = await ask(prometheus, 'alertmanagers');
      return activeAlertmanagers.length > 0 ? activeAlertmanagers : undefined;
    });
    expect(found).to.deep.equal([{ url: `${alertmanager.url}/api/v2/alerts` }]);
  });
});
