import { expect } from 'chai';
import { formatFor, gzipAllowed } from '../../../dist/metrics/negotiate.js';

const OM = 'application/openmetrics-text';
const PROMETHEUS_2 = `${OM};version=1.0.0,${OM};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`;
const PROMETHEUS_3 = `${OM};version=1.0.0;escaping=allow-utf-8;q=0.6,${OM};version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`;
const PROMETHEUS_3_PROTOBUF = `application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,${OM};version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1`;

describe('the format of an answer', () => {
  const cases: [string | undefined, 'text' | 'openmetrics'][] = [
    [undefined, 'text'],
    ['', 'text'],
    ['*/*', 'text'],
    ['text/*', 'text'],
    ['application/*', 'text'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
    ['image/png', 'text'],
    [PROMETHEUS_2, 'openmetrics'],
    [PROMETHEUS_3, 'openmetrics'],
    [PROMETHEUS_3_PROTOBUF, 'openmetrics'],
    [OM, 'openmetrics'],
    [`${OM};version=1.0.0`, 'openmetrics'],
    [`${OM}; version="1.0.0"; charset=utf-8`, 'openmetrics'],
    [`${OM};version=0.0.1`, 'openmetrics'],
    [`${OM};version=2.0.0`, 'text'],
    [`${OM};version=2.0.0;q=0.9,${OM};version=1.0.0;q=0.5,*/*;q=0.1`, 'openmetrics'],
    ['Application/OpenMetrics-Text', 'openmetrics'],
    [`${OM};q=0`, 'text'],
    [`${OM};q=0.000,*/*`, 'text'],
    [`${OM};q=0.5,text/plain;q=0.9`, 'text'],
    [`text/plain;q=0.5,${OM};q=0.9`, 'openmetrics'],
    [`text/plain;q=0.5,${OM}`, 'openmetrics'],
    [`${OM};q=0.5,*/*;q=0.8`, 'text'],
    [`*/*,${OM}`, 'openmetrics'],
    [`text/plain,${OM}`, 'text'],
    [`${OM},text/plain`, 'openmetrics'],
    [`text/plain;q=0,*/*`, 'text'],
    [`${OM};q=0,${OM};version=0.0.1;q=0,text/plain;q=0`, 'text'],
    [`${OM};version=0.0.1;q=0.2,${OM};q=0.9,text/plain;q=0.5`, 'openmetrics'],
    [`${OM} ; q = 0.5,text/plain;q=0.9`, 'text'],
    [`${OM},text/*`, 'openmetrics'],
    [`text/*,${OM}`, 'openmetrics'],
    [`${OM};q=0.5,text/*;q=0.9`, 'text'],
    [`${OM};q=0.5,text/*;q=0.4,*/*;q=0.9`, 'openmetrics'],
    [`${OM};q=0.5,text/*;q=0.9,text/plain;q=0.1`, 'openmetrics'],
    [`${OM};q=0.75,text/plain;q=0.74`, 'openmetrics'],
    [`${OM};q=0.123,text/plain;q=0.122`, 'openmetrics'],
    [`${OM};q=1.000,text/plain;q=0.9`, 'openmetrics'],
    [`${OM};q=1.,text/plain;q=0.`, 'openmetrics'],
    [`${OM};q=1.001`, 'text'],
    [`${OM};q=0.1234`, 'text'],
    [`${OM};q=1.0000`, 'text'],
    [`${OM};q=x1`, 'text'],
    [`${OM};q=1x`, 'text'],
    [`${OM};q=x0.5`, 'text'],
    [`${OM};q=0.5x`, 'text'],
    [`${OM};q=0.x`, 'text'],
    [`${OM};Q=0,text/plain`, 'text'],
    [`${OM};q="0.5",text/plain;q=0.4`, 'openmetrics'],
    [`${OM};q=high`, 'text'],
    [`${OM};q=2`, 'text'],
    [`${OM};q=-1`, 'text'],
    [';;;,,=,;q=1', 'text'],
    [`,,${OM} ; version = 1.0.0 ; q = 0.7 ,,`, 'openmetrics'],
  ];
  for (const [accept, format] of cases) {
    it(`is ${format} for Accept: ${accept ?? '(none)'}`, () => {
      expect(formatFor(accept)).to.equal(format);
    });
  }
});

describe('gzip', () => {
  const cases: [string | undefined, boolean][] = [
    [undefined, false],
    ['', false],
    ['gzip', true],
    ['x-gzip', true],
    ['GZIP', true],
    ['gzip, deflate, br, zstd', true],
    ['br;q=1.0, gzip;q=0.8, *;q=0.1', true],
    ['*', true],
    ['*;q=0', false],
    ['gzip;q=0', false],
    ['gzip;q=0, *', false],
    ['gzip;q=0.0, identity', false],
    ['identity', false],
    ['identity;q=0', false],
    ['identity;q=1, gzip;q=0.5', false],
    ['identity;q=0.5, gzip;q=1', true],
    ['identity;q=0.5, gzip;q=0.5', true],
    ['identity;q=0, *;q=0', false],
    ['deflate', false],
    ['gzip;q=much', false],
    ['x-gzip;q=0, *', false],
    ['gzip;q=0.001', true],
    ['identity;q=0.5, *;q=0.4', false],
  ];
  for (const [acceptEncoding, allowed] of cases) {
    it(`is ${allowed ? '' : 'not '}used for Accept-Encoding: ${acceptEncoding ?? '(none)'}`, () => {
      expect(gzipAllowed(acceptEncoding)).to.equal(allowed);
    });
  }
});
