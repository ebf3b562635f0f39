import { expect } from 'chai';
import type { SimulatedInstance } from '../../../dist/simulator/instances.js';
import { generateInstances } from '../../../dist/simulator/instances.js';

const plan = { seed: 'x', accounts: ['a', 'b'], regions: ['cn-hangzhou', 'eu-central-1', 'us-east-1'], count: 1250 };

function tally(instances: readonly SimulatedInstance[], of: (instance: SimulatedInstance) => string): object {
  const counts: Record<string, number> = {};
  for (const instance of instances) counts[of(instance)] = (counts[of(instance)] ?? 0) + 1;
  return counts;
}

describe('a generated fleet', () => {
  const fleet = generateInstances(plan);

  it('is the same for the same seed, and another for another', () => {
    expect(generateInstances(plan)).to.deep.equal(fleet);
    expect(generateInstances({ ...plan, seed: 'y' })).to.not.deep.equal(fleet);
    expect(generateInstances({ ...plan, count: 24 })).to.deep.equal(fleet.slice(0, 24));
  });

  it('is spread evenly over accounts and regions, each instance with an id of its own', () => {
    expect(tally(fleet, ({ account, regionId }) => `${account} ${regionId}`)).to.deep.equal({
      'a cn-hangzhou': 209,
      'b cn-hangzhou': 209,
      'a eu-central-1': 208,
      'b eu-central-1': 208,
      'a us-east-1': 208,
      'b us-east-1': 208,
    });
    expect(new Set(fleet.map(({ instanceId }) => instanceId)).size).to.equal(1250);
  });

  it('holds all types and engines, and exactly one stuck backup', () => {
    expect(tally(fleet, ({ instanceType }) => instanceType)).to.deep.equal({
      Primary: 1115,
      Readonly: 113,
      Guard: 11,
      Temp: 11,
    });
    expect(tally(fleet, ({ engine }) => engine)).to.deep.equal({
      MySQL: 478,
      MariaDB: 264,
      PostgreSQL: 241,
      SQLServer: 267,
    });
    expect(tally(fleet, ({ profile }) => profile)).to.deep.equal({ stuck: 1, failing: 25, steady: 1097, idle: 127 });
  });

  it('names replicas and PostgreSQL as the cloud does', () => {
    const prefixes = fleet.map(({ instanceId, engine, instanceType }) => [
      instanceId.split('-')[0],
      engine,
      instanceType,
    ]);
    expect(new Set(prefixes.filter(([prefix]) => prefix === 'pgr').map(String))).to.deep.equal(
      new Set(['pgr,PostgreSQL,Readonly']),
    );
    expect(fleet[0]!.instanceId).to.match(/^(rm|pgm)-bp1[0-9a-z]{14}$/);
  });

  it('has descriptions in Chinese, awkward ones and empty ones', () => {
    const descriptions = new Set(fleet.map(({ description }) => description));
    for (const wanted of ['', 'a "quoted" name', String.raw`C:\backups\new`, '<b>not bold</b>', '备份 🚚 émigré']) {
      expect(descriptions.has(wanted), wanted).to.equal(true);
    }
    expect([...descriptions].some((description) => description.startsWith('报表-'))).to.equal(true);
  });

  it('does one thing when told so', () => {
    expect(tally(generateInstances({ ...plan, profile: 'idle' }), ({ profile }) => profile)).to.deep.equal({
      idle: 1250,
    });
  });
});
