import { RENDER_BENCHES } from './render-cases.js';

/** Runs one of the benches and prints its figures as JSON: `node render-child.js NAME INSTANCES`. */
const [name = '', instances] = process.argv.slice(2);
const bench = RENDER_BENCHES[name];
if (bench === undefined) throw new Error(`expected one of ${Object.keys(RENDER_BENCHES).join(', ')}`);
console.log(JSON.stringify(await bench(Number(instances))));
