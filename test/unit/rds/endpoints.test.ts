import { expect } from 'chai';
import { endpointOf, isKnownRegion } from '../../../dist/rds/endpoints.js';

function publicEndpoint(id: string): string {
  return endpointOf({ id, network: 'public', endpoint: undefined });
}

describe('the endpoint of a region', () => {
  for (const id of [
    'cn-qingdao',
    'cn-beijing',
    'cn-hangzhou',
    'cn-shanghai',
    'cn-shenzhen',
    'cn-heyuan',
    'cn-hongkong',
    'cn-shanghai-finance-1',
    'cn-beijing-finance-1',
    'cn-hangzhou-finance',
  ]) {
    it(`is the central host in ${id}`, () => {
      expect(publicEndpoint(id)).to.equal('https://rds.aliyuncs.com');
      expect(isKnownRegion(id)).to.equal(true);
    });
  }

  for (const id of [
    'cn-shenzhen-finance-1',
    'ap-southeast-1',
    'us-east-1',
    'us-west-1',
    'cn-guangzhou',
    'eu-central-1',
  ]) {
    it(`is a host of its own in ${id}`, () => {
      expect(publicEndpoint(id)).to.equal(`https://rds.${id}.aliyuncs.com`);
      expect(isKnownRegion(id)).to.equal(true);
    });
  }

  it('is guessed for a region that is not known', () => {
    expect(publicEndpoint('xx-new-1')).to.equal('https://rds.xx-new-1.aliyuncs.com');
    expect(isKnownRegion('xx-new-1')).to.equal(false);
  });

  it('is the private one on network vpc, also where the public one is central', () => {
    expect(endpointOf({ id: 'cn-hangzhou', network: 'vpc', endpoint: undefined })).to.equal(
      'https://rds-vpc.cn-hangzhou.aliyuncs.com',
    );
  });

  it('is the override whenever there is one', () => {
    expect(endpointOf({ id: 'cn-hangzhou', network: 'vpc', endpoint: 'http://127.0.0.1:8080' })).to.equal(
      'http://127.0.0.1:8080',
    );
  });
});
