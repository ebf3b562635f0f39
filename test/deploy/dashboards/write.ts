/** Writes the dashboards to deploy/grafana/dashboards: `npm run dashboards`. */
import { writeFileSync } from 'node:fs';
import { DASHBOARDS, FOLDER } from './all.js';

for (const { file, text } of DASHBOARDS) writeFileSync(new URL(file, FOLDER), text);
