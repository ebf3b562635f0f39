/** One request of DescribeBackupTasks. */
export interface BackupTasksRequest {
  readonly instanceId: string;
  readonly backupJobId?: string | undefined;
}

/** One page of DescribeDBInstances. */
export interface InstancesRequest {
  readonly engine?: string | undefined;
  /** At most 5 pairs, all of which must match. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly resourceGroupId?: string | undefined;
  /** Token paging (MaxResults, NextToken) unless a page number is given (PageNumber, PageSize). */
  readonly nextToken?: string | undefined;
  readonly pageNumber?: number | undefined;
}

export interface InstancesPage {
  readonly instances: readonly ListedInstance[];
  /** Undefined on the last page. */
  readonly nextToken: string | undefined;
  /** PageNumber mode: of the whole listing. Token mode: the API documents it as the count of this page. */
  readonly totalRecordCount: number | undefined;
}

/** One entry of Items.DBInstance, read tolerantly; texts are empty when absent. */
export interface ListedInstance {
  readonly instanceId: string;
  /** DBInstanceDescription. */
  readonly name: string;
  readonly engine: string;
  readonly engineVersion: string;
  /** DBInstanceType: `Primary`, `Readonly`, `Guard`, `Temp`. */
  readonly instanceType: string;
  /** DBInstanceStatus. */
  readonly status: string;
}

export interface TagsRequest {
  readonly pageNumber: number;
}

export interface TagsPage {
  readonly tags: readonly { readonly instanceId: string; readonly tags: Readonly<Record<string, string>> }[];
  readonly totalRecordCount: number | undefined;
}
