/** Thirty simulated days of 2,000 instances under faults, idle ones polled hourly: `node dist-test/bench/soak.js [seed]`. */
import { report } from '../soak/soak.js';

const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 1e6));
console.log(`30 days, 2,000 instances, seed ${seed}`);
await report({ days: 30, instances: 2_000, seed, idleMinutes: 60 });
