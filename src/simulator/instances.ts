import { hashOf, pick, unitOf } from './random.js';
import type { Profile } from './timeline.js';

/** A DB instance as its account owns it. */
export interface SimulatedInstance {
  readonly account: string;
  readonly regionId: string;
  readonly instanceId: string;
  /** DBInstanceDescription. */
  readonly description: string;
  readonly engine: string;
  readonly engineVersion: string;
  /** `Primary`, `Readonly`, `Guard` or `Temp`. */
  readonly instanceType: string;
  /** DBInstanceStatus, such as `Running`. */
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly resourceGroupId: string;
  readonly profile: Profile;
}

/** What a fleet is made of. */
export interface FleetPlan {
  readonly seed: string;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  readonly count: number;
  /** Given: all instances are alike. Else one is stuck, a few fail each time, most are steady and some idle. */
  readonly profile?: Profile | undefined;
}

const ENGINES = [
  { engine: 'MySQL', versions: ['8.0', '5.7'], prefix: 'rm-', replicaPrefix: 'rr-' },
  { engine: 'PostgreSQL', versions: ['16.0', '14.0'], prefix: 'pgm-', replicaPrefix: 'pgr-' },
  { engine: 'SQLServer', versions: ['2019_std_ha', '2022_ent_ha'], prefix: 'rm-', replicaPrefix: 'rr-' },
  { engine: 'MySQL', versions: ['8.0', '5.6'], prefix: 'rm-', replicaPrefix: 'rr-' },
  { engine: 'MariaDB', versions: ['10.6', '10.3'], prefix: 'rm-', replicaPrefix: 'rr-' },
] as const;
const SERVICES = ['orders', 'billing', 'users', '报表', 'inventory', '结算', 'sessions', 'audit', '物流跟踪'] as const;
/** Descriptions are free text: whatever shows them must not trip over these. */
const AWKWARD = [
  'a "quoted" name',
  String.raw`C:\backups\new`,
  '<b>not bold</b>',
  "it's 100% {done}",
  '备份 🚚 émigré',
  '',
] as const;
const ENVIRONMENTS = ['prod', 'prod', 'staging', 'dev'] as const;
const TEAMS = ['billing', 'platform', '数据平台', 'web'] as const;
const GROUPS = ['rg-acfmdefault', 'rg-acfmexample', 'rg-acfmanalytics'] as const;

/** The whole fleet, spread evenly over accounts and regions; a longer one begins with the shorter one. */
export function generateInstances(plan: FleetPlan): SimulatedInstance[] {
  const places = plan.regions.flatMap((regionId) => plan.accounts.map((account) => ({ account, regionId })));
  if (places.length === 0) return [];
  return Array.from({ length: plan.count }, (_, index) => {
    const place = places[index % places.length] ?? { account: '', regionId: '' };
    return { ...place, ...generated(hashOf(`${plan.seed}/${index}`), index, plan.profile) };
  });
}

function generated(
  hash: number,
  index: number,
  profile: Profile | undefined,
): Omit<SimulatedInstance, 'account' | 'regionId'> {
  const { engine, versions, prefix, replicaPrefix } = pick<(typeof ENGINES)[number]>(ENGINES, hash, 1);
  const instanceType = typeOf(index);
  const environment = pick(ENVIRONMENTS, hash, 3);
  return {
    instanceId: (instanceType === 'Readonly' ? replicaPrefix : prefix) + idOf(hash, index),
    description:
      index % 7 === 5
        ? pick(AWKWARD, hash, 2)
        : `${pick(SERVICES, hash, 2)}-${environment}-${String(index).padStart(2, '0')}`,
    engine,
    engineVersion: pick(versions, hash, 4),
    instanceType,
    status: 'Running',
    // Some have none: DescribeDBInstanceByTags leaves those out.
    tags: index % 10 === 9 ? {} : { env: environment, team: pick(TEAMS, hash, 5) },
    resourceGroupId: pick(GROUPS, hash, 6),
    profile: profile ?? profileOf(index, hash),
  };
}

/** About one in eleven is a replica; guard and temporary instances are rare. */
function typeOf(index: number): string {
  if (index % 11 === 7) return 'Readonly';
  if (index % 100 === 57) return 'Guard';
  return index % 100 === 83 ? 'Temp' : 'Primary';
}

function profileOf(index: number, hash: number): Profile {
  if (index === 0) return 'stuck';
  if (index % 50 === 1) return 'failing';
  return unitOf(hash, 7) < 0.1 ? 'idle' : 'steady';
}

/** Looks like the real ones; the index keeps them apart. */
function idOf(hash: number, index: number): string {
  const letters = Math.floor(unitOf(hash, 8) * 36 ** 9)
    .toString(36)
    .padStart(9, '0');
  return `bp1${letters}${index.toString(36).padStart(5, '0')}`;
}
