import { expect } from 'chai';
import { FAMILIES, FLEET_FAMILIES } from '../../../dist/metrics/families.js';
import { REGION_FAMILIES } from '../../../dist/metrics/region-families.js';

describe('the table of families', () => {
  it("names each family once, under the exporter's prefix", () => {
    const names = FAMILIES.map(({ name }) => name);
    expect(new Set(names).size).to.equal(names.length);
    expect(names.filter((name) => !/^alicloud_rds_backup(_[a-z0-9]+)+$/.test(name))).to.deep.equal([]);
  });

  it('has all the families that are promised', () => {
    expect([FLEET_FAMILIES.length, REGION_FAMILIES.length, FAMILIES.length]).to.deep.equal([16, 10, 38]);
  });

  it('keeps what is about the exporter apart from what is about the fleet', () => {
    for (const { name, labels } of FAMILIES) {
      expect(name.includes('_exporter_'), name).to.equal(!labels.includes('instance_id'));
    }
  });

  it('says in each help what it is, in a sentence', () => {
    expect(FAMILIES.filter(({ help }) => !/^[A-Z][^\n"\\]+\.$/.test(help)).map(({ name }) => name)).to.deep.equal([]);
  });

  it('has _total on the counters and on nothing else', () => {
    for (const { name, type } of FAMILIES) expect(name.endsWith('_total'), name).to.equal(type === 'counter');
  });

  it('leaves the suffixes of histograms to histograms', () => {
    expect(FAMILIES.filter(({ name }) => /_(count|sum|bucket)$/.test(name))).to.deep.equal([]);
  });

  it('speaks in base units: ratios, never percent, seconds, never milliseconds', () => {
    const wrong = /percent|milli|_ms(_|$)|minutes|hours|days|_time(_|$)/;
    expect(FAMILIES.filter(({ name }) => wrong.test(name)).map(({ name }) => name)).to.deep.equal([]);
  });

  it('ends each name in its unit where the value has one', () => {
    const unitless =
      /_(info|success|successful|tasks|status|targets(_\w+)?|shards|shard_index|cooldown|total|ratio|requests_per_second)$/;
    const wrong = FAMILIES.filter(({ name }) => !unitless.test(name) && !name.endsWith('_seconds'));
    expect(wrong.map(({ name }) => name)).to.deep.equal([]);
    for (const { name } of FAMILIES) {
      if (/timestamp|duration|_after|_lag/.test(name)) expect(name).to.match(/_seconds$/);
    }
  });

  it('names times by timestamp, and ratios and infos by what they are', () => {
    for (const { name, help } of FAMILIES) {
      expect(help.includes('since the epoch'), name).to.equal(name.endsWith('_timestamp_seconds'));
      expect(help.startsWith('Always 1'), name).to.equal(name.endsWith('_info'));
      expect(help.includes('from 0 to 1'), name).to.equal(name.endsWith('_ratio'));
    }
  });

  it('uses no label that targets or histograms have for themselves', () => {
    const taken = /^(job|instance|region|zone|cluster|type|service|environment|le|quantile)$/;
    const labels = new Set(FAMILIES.flatMap((family) => family.labels));
    expect([...labels].filter((label) => taken.test(label) || !/^[a-z]+(_[a-z]+)*$/.test(label))).to.deep.equal([]);
  });
});
