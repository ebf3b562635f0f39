import { RENDER_BENCHES } from './render-cases.js';

const [bench, instances] = process.argv.slice(2);
if (bench === undefined || !(bench in RENDER_BENCHES))
  throw new Error(`one of ${Object.keys(RENDER_BENCHES).join(', ')}`);
console.log(JSON.stringify(await RENDER_BENCHES[bench as keyof typeof RENDER_BENCHES](Number(instances))));
