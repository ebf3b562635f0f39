import { countOf, isObject, listOf, textOf } from './fields.js';
import type { JsonObject } from './fields.js';

/** The largest page that the API gives. */
const PAGE_SIZE = '100';

/** What one page of DescribeDBInstances is asked for. */
export interface InstancesRequest {
  readonly engine?: string | undefined;
  /** At most 5 pairs, all of which must match. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly resourceGroupId?: string | undefined;
  /** Token paging (MaxResults, NextToken) unless a page number is given (PageNumber, PageSize). */
  readonly nextToken?: string | undefined;
  readonly pageNumber?: number | undefined;
}

/** One entry of Items.DBInstance; texts are empty when absent. */
export interface ListedInstance {
  readonly instanceId: string;
  readonly name: string;
  readonly engine: string;
  readonly engineVersion: string;
  readonly instanceType: string;
  readonly status: string;
}

export interface InstancesPage {
  readonly instances: readonly ListedInstance[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
  readonly totalRecordCount: number | undefined;
}

export interface TagsPage {
  readonly tags: readonly { readonly instanceId: string; readonly tags: Readonly<Record<string, string>> }[];
  readonly totalRecordCount: number | undefined;
}

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
