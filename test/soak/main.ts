/** A soak in a process of its own: `node dist-test/soak/main.js --days=3 --instances=500 --seed=1`. */
import { parseArgs } from 'node:util';
import { report } from './soak.js';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '3' },
    instances: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    'idle-minutes': { type: 'string', default: '30' },
  },
});
await report({
  days: Number(values.days),
  instances: Number(values.instances),
  seed: Number(values.seed),
  idleMinutes: Number(values['idle-minutes']),
});
