// The official SDK's bare call loop.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const { default: Client, DescribeBackupTasksRequest } = require('@alicloud/rds20140815');
const { $OpenApiUtil } = require('@alicloud/openapi-core');

const [endpoint, instances, concurrency] = process.argv.slice(2);
const client = new Client(
  new $OpenApiUtil.Config({
    accessKeyId: 'bench-key-id',
    accessKeySecret: 'bench-key-secret',
    endpoint: new URL(endpoint).host,
    protocol: 'http',
  }),
);
const MAX_POLLS = 1_000_000;
let next = 0;

async function loop() {
  while (next < MAX_POLLS) {
    const request = new DescribeBackupTasksRequest({ DBInstanceId: `rm-${next++ % Number(instances)}` });
    const { body } = await client.describeBackupTasks(request);
    if (!Array.isArray(body.items?.backupJob)) throw new Error(JSON.stringify(body));
  }
}

await Promise.all(Array.from({ length: Number(concurrency) }, loop));
