import { expect } from 'chai';
import * as fc from 'fast-check';
import { readAnswer } from '../../../dist/rds/response.js';
import { createCredentials } from '../../../dist/rds/sign.js';
import { ERROR_KINDS } from '../../../dist/domain/model.js';
import { cases } from '../../helpers/cases.js';

const USED = createCredentials({
  accessKeyId: 'plantedAccessKeyId',
  accessKeySecret: 'plantedSecret',
  securityToken: 'plantedToken',
});

describe('an answer of any kind', () => {
  it('is an object or an error that is fit for a log, a label and a page', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('plantedAccessKeyId', 'a plantedToken b', 'Throttling'),
    );
    const refusal = fc.record(
      { Code: text, Message: fc.oneof(text, fc.jsonValue()), RequestId: text },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      text,
      fc.json(),
      refusal.map((value) => JSON.stringify(value)),
    );
    const headers = fc.dictionary(
      fc.constantFrom('content-type', 'x-acs-request-id', 'x-acs-retry-after', 'x-ratelimit-user'),
      text,
    );
    fc.assert(
      fc.property(
        fc.constantFrom(200, 204, 302, 400, 403, 404, 429, 500, 503),
        headers,
        body,
        (status, given, content) => {
          const result = readAnswer({ status, headers: given, body: content }, USED);
          if (result.ok) {
            expect(status).to.equal(200);
            return;
          }
          const { kind, code, message, requestId = 'none', retryAfterMs = 1 } = result.error;
          expect(ERROR_KINDS).to.include(kind);
          expect(code).to.match(/^[A-Za-z0-9._-]{1,64}$/);
          expect(message).to.match(/^[^\p{Cc}\u2028\u2029]{1,300}$/u);
          expect([code, message, requestId].join(' ')).not.to.contain('planted');
          expect(requestId).to.match(/^[A-Za-z0-9._-]{1,64}$/);
          expect(retryAfterMs).to.be.within(1, 120_000);
        },
      ),
      { numRuns: cases(300) },
    );
  });
});
