import { createCredentialsProvider } from '../rds/credentials/credentials-provider.js';
import { endpointOf } from '../rds/endpoints.js';
import { createRdsClient } from '../rds/rds-client.js';
import type { RdsClient } from '../rds/rds-client.js';
import type { Clock } from '../clock.js';
import type { Config } from '../config/config.js';
import type { Logger } from '../log.js';
import type { Action, ApiError, ApiResult, ErrorKind, AccountRegion } from '../domain/model.js';
import { regionSettingsOf } from './region-settings.js';
import type { RegionSettings } from '../collector/region-settings.js';

export interface PermissionsOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

export interface Permission extends AccountRegion {
  readonly action: Action;
  readonly result: 'allowed' | 'denied' | 'unreachable';
  /** Of the refusal or failure; undefined when it is allowed. */
  readonly error: ApiError | undefined;
}

/** Asked of the API where no instance is known: that it does not exist is told only to those who may ask. */
const NO_INSTANCE = 'rm-permissioncheck';
/** What the API says only to those whom it has let in. */
const LET_IN: ReadonlySet<ErrorKind> = new Set(['not_found', 'unsupported', 'not_now', 'next_token', 'request']);
const DENIED: ReadonlySet<ErrorKind> = new Set(['denied', 'key_rejected', 'token_expired', 'clock']);

/** Calls each action that the configuration needs once per account and region. */
export async function checkPermissions(options: PermissionsOptions): Promise<readonly Permission[]> {
  const found: Permission[] = [];
  for (const account of options.config.accounts) {
    const { clock, log } = options;
    const credentials = createCredentialsProvider(account.credentials, { account: account.name, clock, log });
    const places = regionSettingsOf({ ...options.config, accounts: [account] });
    for (const place of places) {
      const { version } = options;
      const { regionId, polling, region } = place;
      const endpoint = endpointOf(region);
      const api = createRdsClient({ regionId, endpoint, credentials, timeoutMs: polling.timeoutMs, version, clock });
      found.push(...(await checkPlace(place, api)));
      await api.close();
    }
  }
  return found;
}

async function checkPlace(place: RegionSettings, api: RdsClient): Promise<readonly Permission[]> {
  const { account, regionId, settings } = place;
  const { signal } = new AbortController();
  const found: Permission[] = [];
  const note = (action: Action, result: ApiResult<unknown>): void => {
    const error = result.ok || LET_IN.has(result.error.kind) ? undefined : result.error;
    found.push({ account, regionId, action, result: verdict(error), error });
  };
  let instanceId = settings.instances.find(({ region }) => region === regionId)?.id;
  if (settings.discovery !== undefined) {
    const listed = await api.describeDBInstances({}, signal);
    note('DescribeDBInstances', listed);
    if (listed.ok) instanceId ??= listed.value.instances[0]?.instanceId;
    if (settings.discovery.tagLabels.length > 0) {
      note('DescribeDBInstanceByTags', await api.describeDBInstanceByTags({ pageNumber: 1 }, signal));
    }
  }
  note('DescribeBackupTasks', await api.describeBackupTasks({ instanceId: instanceId ?? NO_INSTANCE }, signal));
  return found;
}

function verdict(error: ApiError | undefined): Permission['result'] {
  if (error === undefined) return 'allowed';
  return DENIED.has(error.kind) ? 'denied' : 'unreachable';
}

/** One line each, in columns; for a denial the policy line that is missing. */
export function permissionsTable(permissions: readonly Permission[]): string {
  const rows = permissions.map(({ account, regionId, action, result, error }) => [
    account,
    regionId,
    action,
    result,
    error === undefined ? '' : `${error.code}: ${remedy(action, error)}`,
  ]);
  const table = [['ACCOUNT', 'REGION', 'ACTION', 'RESULT', 'REASON'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map(
      (row) =>
        `${row
          .map((text, column) => text.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function remedy(action: Action, { kind, message }: ApiError): string {
  return kind === 'denied' ? `the RAM policy lacks "Action": "rds:${action}"` : message;
}
