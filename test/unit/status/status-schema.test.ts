import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'chai';
import { PAGE_STATES } from '../../../dist/domain/page-state.js';
import { MINUTE, NOW, ask, instance, serveParts, snapshot, state, task, tracked } from '../http/helpers.js';
import { sampleSnapshot } from './sample-fleet.js';

const schema = JSON.parse(readFileSync(new URL('../../../deploy/status.schema.json', import.meta.url), 'utf8'));

/** The schema with nothing allowed that it does not name: a field that is missing from it shows. */
function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const copy = Object.fromEntries(Object.entries(node).map(([key, value]) => [key, closed(value)]));
  return 'properties' in copy && !('additionalProperties' in copy) ? { ...copy, additionalProperties: false } : copy;
}

const compile = (from: object) => new Ajv2020({ allErrors: true, strictTypes: false }).compile(from);

/** A fleet in which every field of the answer has a value somewhere. */
function everything() {
  const completion = { at: NOW, durationMs: MINUTE, backupJobId: '7', backupId: '8' };
  const full = state({
    instance: instance({ labels: { team: 'a' } }),
    lastPoll: {
      at: NOW,
      error: { kind: 'server', code: 'InternalError', message: 'm', requestId: 'r', retryAfterMs: undefined },
    },
    tasks: [
      tracked({
        task: task({ backupId: '9', unexpected: [{ field: 'Process', value: '25%' }] }),
        runningFromPercent: 10,
        outcomeLookups: 1,
      }),
    ],
    outcomes: {
      Automated: {
        counts: { Finished: 1, Failed: 1, Unknown: 1 },
        last: {
          Finished: { ...completion, outcome: 'Finished' },
          Failed: { ...completion, outcome: 'Failed' },
          Unknown: { ...completion, outcome: 'Unknown' },
        },
      },
    },
  });
  const base = snapshot();
  return snapshot({
    states: [full],
    accounts: [{ account: 'a', credentialType: 'sts', problem: { code: 'c', message: 'm', at: NOW } }],
    skipped: [{ account: 'a', regionId: 'r', instanceId: 'i', name: 'n', reason: 'why' }],
    regions: base.regions.map((place) =>
      Object.assign({}, place, {
        calls: place.calls.map((call) =>
          Object.assign({}, call, { cooldown: { until: NOW, code: 'c', message: 'm' } }),
        ),
      }),
    ),
  });
}

describe('the schema of the status answer', () => {
  const fleets = {
    'a mixed fleet': sampleSnapshot(240, NOW),
    'no instance': snapshot({ states: [], regions: [] }),
    everything: everything(),
  };

  for (const [name, fleet] of Object.entries(fleets)) {
    it(`names every field of the answer for ${name}, and no answer breaks it`, async () => {
      const server = await serveParts({ snapshot: () => fleet });
      const answer = JSON.parse((await ask(server, '/api/v1/status?limit=1000')).body);
      await server.close();
      for (const from of [schema, closed(schema)]) {
        const validate = compile(from);
        validate(answer);
        expect(validate.errors ?? []).to.deep.equal([]);
      }
    });
  }

  it('refuses an answer that lacks a field or has a wrong one', async () => {
    const server = await serveParts({ snapshot: everything });
    const { body } = await ask(server, '/api/v1/status');
    await server.close();
    const validate = compile(schema);
    expect(validate(JSON.parse(body.replace('"state":"running"', '"state":"busy"')))).to.equal(false);
    expect(validate(JSON.parse(body.replace('"process":62,', '')))).to.equal(false);
    expect(validate(JSON.parse(body.replace('"last_poll":"2026', '"last_poll":"26')))).to.equal(false);
  });

  it('lists the states in the order of attention', () => {
    expect(schema.$defs.instance.properties.state.enum).to.deep.equal(PAGE_STATES);
  });
});
