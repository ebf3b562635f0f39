/** Where the RDS API of a region answers. */

const CENTRAL_HOST = 'rds.aliyuncs.com';

/**
 * The regions that the central host serves.
 * https://www.alibabacloud.com/help/en/rds/developer-reference/api-rds-2014-08-15-endpoint (2025-11)
 */
const CENTRAL_REGIONS: ReadonlySet<string> = new Set([
  'cn-qingdao',
  'cn-beijing',
  'cn-hangzhou',
  'cn-shanghai',
  'cn-shenzhen',
  'cn-heyuan',
  'cn-hongkong',
  'cn-shanghai-finance-1',
  'cn-beijing-finance-1',
  'cn-hangzhou-finance',
]);

/** The regions that have a host of their own. */
const OWN_HOST_REGIONS: ReadonlySet<string> = new Set([
  'cn-shenzhen-finance-1',
  'ap-southeast-1',
  'us-east-1',
  'us-west-1',
  'cn-zhangjiakou',
  'cn-huhehaote',
  'cn-wulanchabu',
  'cn-guangzhou',
  'cn-chengdu',
  'ap-northeast-1',
  'ap-southeast-3',
  'ap-southeast-5',
  'ap-southeast-6',
  'eu-central-1',
  'eu-west-1',
  'me-east-1',
  'na-south-1',
]);

export interface RegionEndpoint {
  readonly id: string;
  readonly network: 'public' | 'vpc';
  /** Overrides everything else. */
  readonly endpoint: string | undefined;
}

/** The origin to call for a region, such as `https://rds.aliyuncs.com`. */
export function endpointOf({ id, network, endpoint }: RegionEndpoint): string {
  if (endpoint !== undefined) return endpoint;
  if (network === 'vpc') return `https://rds-vpc.${id}.aliyuncs.com`;
  return `https://${CENTRAL_REGIONS.has(id) ? CENTRAL_HOST : `rds.${id}.aliyuncs.com`}`;
}

/** False for a region that this version has not heard of: its endpoint is then a guess. */
export function isKnownRegion(id: string): boolean {
  return CENTRAL_REGIONS.has(id) || OWN_HOST_REGIONS.has(id);
}
