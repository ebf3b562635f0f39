import { countOf, isObject, listOf, textOf } from './fields.js';
import type { InstancesPage, InstancesRequest, ListedInstance, TagsPage } from '../domain/requests.js';
import type { JsonObject } from './fields.js';

/** The largest page that the API gives. */
const PAGE_SIZE = '100';

export type Parameters = Readonly<Record<string, string | undefined>>;

/** The parameters of DescribeDBInstances. */
export function instancesParameters(regionId: string, request: InstancesRequest): Parameters {
  const { engine, tags, resourceGroupId, nextToken, pageNumber } = request;
  const paging =
    pageNumber === undefined
      ? { MaxResults: PAGE_SIZE, NextToken: nextToken }
      : { PageNumber: String(pageNumber), PageSize: PAGE_SIZE };
  return {
    RegionId: regionId,
    Engine: engine,
    ResourceGroupId: resourceGroupId,
    Tags: tags === undefined || Object.keys(tags).length === 0 ? undefined : JSON.stringify(tags),
    ...paging,
  };
}

/** The parameters of DescribeDBInstanceByTags. */
export function tagsParameters(regionId: string, pageNumber: number): Parameters {
  return { RegionId: regionId, PageNumber: String(pageNumber), PageSize: PAGE_SIZE };
}

/**
 * Undefined when the answer holds no list, or an entry without an id: a page that cannot be trusted fails the listing,
 * which keeps the last good one, instead of dropping an instance.
 */
export function readInstances(answer: JsonObject): InstancesPage | undefined {
  const entries = listOf(answer, 'Items', 'DBInstance');
  const instances = entries?.map(readInstance);
  if (instances === undefined || !instances.every((instance) => instance !== undefined)) return undefined;
  return {
    instances,
    nextToken: textOf(answer, 'NextToken'),
    totalRecordCount: countOf(answer, 'TotalRecordCount'),
  };
}

function readInstance(entry: unknown): ListedInstance | undefined {
  if (!isObject(entry)) return undefined;
  const instanceId = textOf(entry, 'DBInstanceId');
  if (instanceId === undefined) return undefined;
  return {
    instanceId,
    name: textOf(entry, 'DBInstanceDescription') ?? '',
    engine: textOf(entry, 'Engine') ?? '',
    engineVersion: textOf(entry, 'EngineVersion') ?? '',
    instanceType: textOf(entry, 'DBInstanceType') ?? '',
    status: textOf(entry, 'DBInstanceStatus') ?? '',
  };
}

/** Undefined when the answer holds no list. Tags are only labels: what cannot be read is left out. */
export function readTags(answer: JsonObject): TagsPage | undefined {
  const entries = listOf(answer, 'Items', 'DBInstanceTag');
  if (entries === undefined) return undefined;
  const tags = entries.filter(isObject).flatMap((entry) => {
    const instanceId = textOf(entry, 'DBInstanceId');
    return instanceId === undefined ? [] : [{ instanceId, tags: readTagPairs(entry) }];
  });
  return { tags, totalRecordCount: countOf(answer, 'TotalRecordCount') };
}

function readTagPairs(entry: JsonObject): Record<string, string> {
  const pairs = (listOf(entry, 'Tags', 'Tag') ?? []).filter(isObject).flatMap((tag): [string, string][] => {
    const key = textOf(tag, 'TagKey');
    return key === undefined ? [] : [[key, textOf(tag, 'TagValue') ?? '']];
  });
  return Object.fromEntries(pairs);
}
