// A real client's opinion of the simulator: the official SDK reads every operation that the exporter uses.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const rds = require('@alicloud/rds20140815');
const { $OpenApiUtil } = require('@alicloud/openapi-core');

const [endpoint] = process.argv.slice(2);
const client = new rds.default(
  new $OpenApiUtil.Config({
    accessKeyId: 'bench-key-id',
    accessKeySecret: 'bench-key-secret',
    endpoint: new URL(endpoint).host,
    protocol: 'http',
  }),
);
const regionId = 'cn-hangzhou';

const first = await client.describeDBInstances(new rds.DescribeDBInstancesRequest({ regionId, maxResults: 2 }));
assert.equal(first.body.items.DBInstance.length, 2);
assert.ok(first.body.nextToken);
const second = await client.describeDBInstances(
  new rds.DescribeDBInstancesRequest({ regionId, maxResults: 2, nextToken: first.body.nextToken }),
);
assert.notEqual(second.body.items.DBInstance[0].DBInstanceId, first.body.items.DBInstance[0].DBInstanceId);
const tagged = await client.describeDBInstances(
  new rds.DescribeDBInstancesRequest({ regionId, tags: JSON.stringify({ "env (it's)": 'prod*!~团队' }) }),
);
assert.deepEqual(
  tagged.body.items.DBInstance.map(({ DBInstanceId }) => DBInstanceId),
  ['rm-tagged'],
);
const tags = await client.describeDBInstanceByTags(
  new rds.DescribeDBInstanceByTagsRequest({ regionId, pageSize: 100 }),
);
assert.equal(tags.body.items.DBInstanceTag[0].tags.tag[0].tagValue, 'prod*!~团队');
const running = await client.describeBackupTasks(new rds.DescribeBackupTasksRequest({ DBInstanceId: 'rm-tagged' }));
assert.equal(running.body.items.backupJob[0].backupStatus, 'Uploading');
const byId = await client.describeBackupTasks(
  new rds.DescribeBackupTasksRequest({ DBInstanceId: 'rm-tagged', backupJobId: 7 }),
);
assert.equal(byId.body.items.backupJob[0].backupId, '99');
await assert.rejects(
  client.describeBackupTasks(new rds.DescribeBackupTasksRequest({ DBInstanceId: 'rm-none' })),
  (error) => error.code === 'InvalidDBInstanceName.NotFound',
);
console.log('the official SDK reads every operation of the simulator');
