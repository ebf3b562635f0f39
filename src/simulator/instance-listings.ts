import type { Call, Result } from './call.js';
import type { Member, SimulatedFleet } from './fleet.js';
import type { SimulatedInstance } from './instances.js';
import { decodeToken, encodeToken } from './paging-token.js';
import type { Refusal } from './refusal.js';
import { missing, refusal } from './refusal.js';

const DEFAULT_PAGE = 30;
const MAX_PAGE = 100;
const MAX_TAGS = 5;

/** DescribeDBInstances, in either of its ways of paging: MaxResults with NextToken, or PageNumber with PageSize. */
export function describeDBInstances(
  fleet: SimulatedFleet,
  call: Call,
  { tokenPaging }: { tokenPaging: boolean },
): Result {
  const tags = tagFilter(call.parameters.get('Tags'));
  const wrong = wrongRegion(call);
  if (wrong !== undefined) return wrong;
  if (!(tags instanceof Map)) return tags;
  const engine = call.parameters.get('Engine');
  const group = call.parameters.get('ResourceGroupId');
  const found = [...fleet.membersOf(call.account, call.regionId)].filter(
    ({ instance }) =>
      (engine === undefined || instance.engine === engine) &&
      (group === undefined || instance.resourceGroupId === group) &&
      [...tags].every(([key, value]) => instance.tags[key] === value),
  );
  const byToken = tokenPaging && (call.parameters.has('MaxResults') || call.parameters.has('NextToken'));
  return byToken ? tokenPage(found, call) : numberedPage(found.map(instanceEntry), call, 'DBInstance');
}

/** DescribeDBInstanceByTags: instances without tags are left out. */
export function describeDBInstanceByTags(fleet: SimulatedFleet, call: Call): Result {
  const wrong = wrongRegion(call);
  if (wrong !== undefined) return wrong;
  const only = call.parameters.get('DBInstanceId');
  const entries = [...fleet.membersOf(call.account, call.regionId)]
    .filter(({ instance }) => only === undefined || instance.instanceId === only)
    .map(({ instance }) => ({
      DBInstanceId: instance.instanceId,
      Tags: { Tag: Object.entries(instance.tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })) },
    }))
    .filter((entry) => entry.Tags.Tag.length > 0);
  return numberedPage(entries, call, 'DBInstanceTag');
}

/** As documented: PageNumber is then always 1 and TotalRecordCount is that of this page. */
function tokenPage(found: readonly Member[], call: Call): Result {
  const size = sizeOf(call, 'MaxResults');
  const token = call.parameters.get('NextToken');
  const start = token === undefined || token === '' ? { page: 1, after: 0 } : decodeToken(token);
  if (size === undefined) return refusal('InvalidParameters.Format', { message: 'MaxResults must be 1 to 100.' });
  if (start === undefined) return refusal('Invalid.NextToken');
  const rest = found.filter(({ createdAs }) => createdAs > start.after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  const more = rest.length > size && last !== undefined;
  return {
    body: {
      PageNumber: 1,
      PageRecordCount: page.length,
      TotalRecordCount: page.length,
      // No source says whether the last page has an empty token or none: the other way of paging gives an empty one.
      ...(more && { NextToken: encodeToken({ page: start.page + 1, after: last.createdAs }) }),
      Items: { DBInstance: page.map(instanceEntry) },
    },
  };
}

function numberedPage(entries: readonly object[], call: Call, list: 'DBInstance' | 'DBInstanceTag'): Result {
  const size = sizeOf(call, 'PageSize');
  const number = Number(call.parameters.get('PageNumber') ?? 1);
  if (size === undefined) return refusal('InvalidParameters.Format', { message: 'PageSize must be 1 to 100.' });
  if (!Number.isInteger(number) || number < 1) {
    return refusal('InvalidParameters.Format', { message: 'PageNumber must be 1 or more.' });
  }
  const page = entries.slice((number - 1) * size, number * size);
  return {
    body: {
      PageNumber: number,
      PageRecordCount: page.length,
      TotalRecordCount: entries.length,
      ...(list === 'DBInstance' && { NextToken: '' }),
      Items: { [list]: page },
    },
  };
}

function sizeOf(call: Call, name: 'MaxResults' | 'PageSize'): number | undefined {
  const size = Number(call.parameters.get(name) ?? DEFAULT_PAGE);
  return Number.isInteger(size) && size >= 1 && size <= MAX_PAGE ? size : undefined;
}

function wrongRegion(call: Call): Refusal | undefined {
  const regionId = call.parameters.get('RegionId') ?? '';
  if (regionId === '') return missing('RegionId');
  return regionId === call.regionId ? undefined : refusal('InvalidRegionId.NotFound');
}

/** Tags is an object as JSON text, of at most five pairs. */
function tagFilter(text: string | undefined): Map<string, unknown> | Refusal {
  if (text === undefined) return new Map();
  let tags: unknown;
  try {
    tags = JSON.parse(text);
  } catch {
    tags = undefined;
  }
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    return refusal('InvalidParameters.Format', { message: 'Specified parameter Tags is not a JSON object.' });
  }
  const pairs = new Map<string, unknown>(Object.entries(tags));
  return pairs.size > MAX_TAGS ? refusal('NumberExceed.Tags') : pairs;
}

function instanceEntry({ instance }: { readonly instance: SimulatedInstance }): object {
  const named = instance.description === '' ? {} : { DBInstanceDescription: instance.description };
  return {
    DBInstanceId: instance.instanceId,
    ...named,
    Engine: instance.engine,
    EngineVersion: instance.engineVersion,
    RegionId: instance.regionId,
    ZoneId: `${instance.regionId}-h`,
    DBInstanceType: instance.instanceType,
    DBInstanceStatus: instance.status,
    DBInstanceNetType: 'Intranet',
    InstanceNetworkType: 'VPC',
    LockMode: 'Unlock',
    PayType: 'Postpaid',
    CreateTime: '2025-03-02T07:11:45Z',
    ResourceGroupId: instance.resourceGroupId,
    ReadOnlyDBInstanceIds: { ReadOnlyDBInstanceId: [] },
    DeletionProtection: true,
  };
}
