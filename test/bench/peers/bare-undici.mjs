// The least that polling can be: undici, a signer, and as many loops as there are slots.
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { Pool } from 'undici';

const [endpoint, instances, concurrency] = process.argv.slice(2);
const pool = new Pool(endpoint, { connections: Number(concurrency) });
const { host } = new URL(endpoint);
const EMPTY = createHash('sha256').update('').digest('hex');
const MAX_POLLS = 1_000_000;
let next = 0;

async function poll(instanceId) {
  const query = `DBInstanceId=${encodeURIComponent(instanceId)}`;
  const signed = {
    host,
    'x-acs-action': 'DescribeBackupTasks',
    'x-acs-content-sha256': EMPTY,
    'x-acs-date': new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    'x-acs-signature-nonce': randomUUID(),
    'x-acs-version': '2014-08-15',
  };
  const names = Object.keys(signed).join(';');
  const canonical = `POST\n/\n${query}\n${Object.entries(signed)
    .map(([name, value]) => `${name}:${value}\n`)
    .join('')}\n${names}\n${EMPTY}`;
  const toSign = `ACS3-HMAC-SHA256\n${createHash('sha256').update(canonical).digest('hex')}`;
  const signature = createHmac('sha256', 'bench-key-secret').update(toSign).digest('hex');
  const { statusCode, body } = await pool.request({
    method: 'POST',
    path: `/?${query}`,
    headers: {
      ...signed,
      accept: 'application/json',
      authorization: `ACS3-HMAC-SHA256 Credential=bench-key-id,SignedHeaders=${names},Signature=${signature}`,
    },
  });
  const answer = await body.json();
  if (statusCode !== 200 || !Array.isArray(answer.Items.BackupJob)) throw new Error(JSON.stringify(answer));
}

async function loop() {
  while (next < MAX_POLLS) await poll(`rm-${next++ % Number(instances)}`);
}

await Promise.all(Array.from({ length: Number(concurrency) }, loop));
