import { expect } from 'chai';
import { refusal } from '../../dist/simulator/refusal.js';
import type { RecordedCall } from '../../dist/simulator/stats.js';
import { WELL } from './cloud.js';
import type { Page } from './page.js';
import { at, expectNoNews, expectNoTasks, expectSameTask, failures, isAt, isEnded } from './region.js';
import { TIMEOUT_MS, startWorld } from './world.js';
import type { World } from './world.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Longer than stale_after. */
const LASTS_MS = 16 * MINUTE;

/** Codes that the exporter treats alike. */
interface Class {
  readonly name: string;
  /** HTTP status and code, as the error pages of the API list them. */
  readonly codes: readonly (readonly [status: number, code: string])[];
  /** What a question is asked, of the default max_attempts; undefined where calls are held back. */
  readonly attempts?: number;
  /** How many questions about tasks come through in 16 minutes, at most; any unless given. */
  readonly mostCalls?: number;
  /** What the last poll is said to have been, of each instance: good, failed, either, or nothing. */
  readonly polls: readonly (0 | 1)[];
  readonly isCoolingDown: boolean;
  /** What was known of its tasks is forgotten. */
  readonly isNew?: boolean;
  /** After its end, until everything is right again. */
  readonly recoversWithinMs: number;
}

const FAILED = { polls: [0], isCoolingDown: false, recoversWithinMs: 6 * MINUTE } as const;
/** The longest pause between two probes is 10 minutes; then everything is polled once. */
const COOLED = { polls: [0, 1], mostCalls: 7, isCoolingDown: true, recoversWithinMs: 11 * MINUTE } as const;

const CLASSES: readonly Class[] = [
  {
    ...FAILED,
    name: 'throttling',
    codes: [
      [400, 'Throttling'],
      [400, 'Throttling.User'],
      [400, 'Throttling.Api'],
      [429, 'Throttling.User.Flow'],
      [503, 'Rejected.Throttling'],
    ],
    // At a sixteenth of 5 a second.
    mostCalls: 310,
    polls: [1],
  },
  {
    ...FAILED,
    name: 'trouble at the cloud',
    codes: [
      [503, 'ServiceUnavailable'],
      [500, 'InternalError'],
      [400, 'InternalFailure'],
      [400, 'IO.Exception'],
      [400, 'TimeoutRetryLater'],
      [400, 'ConnectTimeoutRetryLater'],
      [400, 'Connect.Timeout'],
      [400, 'SqlExecuteFailedOrTimeout'],
      [408, 'NetworkOrSqlTimeoutError'],
      [400, 'SignatureNonceUsed'],
    ],
    attempts: 4,
  },
  {
    ...FAILED,
    name: 'trouble that is repeated once',
    codes: [[400, 'CommodityServiceCalling.Exception']],
    attempts: 2,
  },
  {
    ...COOLED,
    name: 'a wrong clock',
    codes: [
      [400, 'InvalidTimeStamp.Expired'],
      [400, 'InvalidTimeStamp.Format'],
      [400, 'IllegalTimestamp'],
    ],
  },
  {
    ...COOLED,
    name: 'a key that is of no use',
    codes: [
      [404, 'InvalidAccessKeyId.NotFound'],
      [400, 'InvalidAccessKeyId.Inactive'],
      [403, 'Forbidden.AccessKeyDisabled'],
      [400, 'InvalidSecurityToken.Expired'],
      [400, 'InvalidSecurityToken.Malformed'],
      [400, 'InvalidSecurityToken.MismatchWithAccessKey'],
      [400, 'MissingSecurityToken'],
      [400, 'SignatureDoesNotMatch'],
      [400, 'IncompleteSignature'],
    ],
  },
  {
    ...COOLED,
    name: 'a denial',
    codes: [
      [403, 'Forbidden.RAM'],
      [403, 'NoPermission'],
      [403, 'Forbidden'],
      [403, 'Forbidden.RiskControl'],
      [403, 'InvalidUserOperatorPermission'],
    ],
    // It takes five instances to be sure.
    mostCalls: 15,
    polls: [0],
  },
  {
    ...FAILED,
    name: 'an instance that nobody knows',
    codes: [
      [404, 'InvalidDBInstanceName.NotFound'],
      [404, 'InvalidDBInstance.NotFound'],
      [404, 'InvalidDBInstanceId.NotFound'],
    ],
    attempts: 1,
    polls: [],
    isNew: true,
    // The next discovery brings it back.
    recoversWithinMs: 11 * MINUTE,
  },
  {
    ...FAILED,
    name: 'an instance without backup tasks',
    codes: [
      [400, 'ReadDBInstanceNotSupport'],
      [403, 'IncorrectDBInstanceType'],
      [400, 'IncorrectDBInstanceEngine'],
    ],
    attempts: 1,
    polls: [],
    isNew: true,
    // It is asked again hourly.
    recoversWithinMs: HOUR,
  },
  {
    ...FAILED,
    name: 'a refusal of the request',
    codes: [
      [403, 'IncorrectDBInstanceState'],
      [400, 'Invalid.NextToken'],
      [400, 'InvalidParameters.Format'],
      [400, 'InvalidParameter.OwnerAccount'],
      [400, 'MissingDBInstanceId'],
      [405, 'UnsupportedHTTPMethod'],
      [404, 'InvalidApi.NotFound'],
      [404, 'InvalidProduct.NotFound'],
      [404, 'InvalidProtocol.NeedSsl'],
      [400, 'NoSuchVersion'],
      [400, 'InvalidDBInstanceType.ValueNotSupport'],
      [400, 'Order.ComboInstanceNotAllowOperate'],
      [400, 'Order.NoRealNameAuthentication'],
      [400, 'Price.PricingPlanResultNotFound'],
    ],
    attempts: 1,
  },
];

function regionOf(code: string): string {
  return code.toLowerCase().replaceAll('.', '-');
}

/** How often each question was asked, of the instances without a task: they are asked at most once a minute. */
function attemptsOf(calls: readonly RecordedCall[]): ReadonlySet<number> {
  const bursts = new Map<string, number[]>();
  const lastMs = new Map<string, number>();
  for (const { instanceId = '', atMs } of calls) {
    if (/-(running|ending)$/.test(instanceId)) continue;
    const own = bursts.get(instanceId) ?? [];
    if (atMs - (lastMs.get(instanceId) ?? -Infinity) > MINUTE / 2) own.push(0);
    own.push((own.pop() ?? 0) + 1);
    bursts.set(instanceId, own);
    lastMs.set(instanceId, atMs);
  }
  return new Set([...bursts.values()].flat());
}

for (const {
  name,
  codes,
  attempts,
  polls,
  mostCalls = Infinity,
  isCoolingDown,
  isNew = false,
  recoversWithinMs,
} of CLASSES) {
  describe(`${name}, each code in a region of its own,`, function () {
    this.timeout(TIMEOUT_MS);
    let world: World;
    let first: Page;
    /** Each minute of the fault. */
    const dark: Page[] = [];
    /** While it lasted. */
    let asked: readonly RecordedCall[];
    let last: Page;

    before(async () => {
      const regions = codes.map(([, code]) => regionOf(code));
      world = await startWorld({ regions: [WELL, ...regions] });
      const { cloud, exporter } = world;
      await exporter.pass(MINUTE);
      first = await exporter.page();
      cloud.simulator.stats.reset();
      for (const [status, code] of codes) {
        const effect = { kind: 'refuse', refusal: refusal(code, { status }) } as const;
        cloud.simulator.faults.inject({ regionId: regionOf(code), effect });
      }
      for (const regionId of regions) {
        cloud.progress(regionId, 70);
        cloud.end(regionId);
      }
      for (let passed = 0; passed < LASTS_MS; passed += MINUTE) {
        await exporter.pass(MINUTE);
        dark.push(await exporter.page());
      }
      asked = [...cloud.simulator.stats.calls];
      cloud.simulator.faults.clear();
      await exporter.pass(recoversWithinMs);
      last = await exporter.page();
    });

    after(() => world.close());

    it('leaves another region alone', () => {
      for (const page of [first, ...dark, last]) {
        expect(isAt(page, WELL, 40)).to.equal(true);
        expect(failures(page, WELL)).to.deep.equal({});
      }
    });

    for (const [, code] of codes) {
      const regionId = regionOf(code);
      const instances = { ...at(regionId), action: 'DescribeBackupTasks' };

      it(`${code} is counted as such, repeated as often as it is of use, and ends`, () => {
        for (const page of dark) expectNoNews(page, first, regionId);
        const page = dark.at(-1)!;
        expect(failures(page, regionId)).to.have.all.keys(code);
        expectNoTasks(page, regionId);
        expect(new Set(page.all('instance_poll_success', at(regionId)).map(({ value }) => value))).to.deep.equal(
          new Set(polls),
        );
        expect(page.value('exporter_api_cooldown', instances)).to.equal(Number(isCoolingDown));
        const calls = asked.filter((call) => call.regionId === regionId && call.action === instances.action);
        expect(calls).to.have.lengthOf.within(1, mostCalls);
        if (attempts !== undefined) expect(attemptsOf(calls)).to.deep.equal(new Set([attempts]));

        expect(isAt(last, regionId, 70)).to.equal(true);
        expect(last.value('exporter_api_cooldown', instances)).to.equal(0);
        if (isNew) return;
        expect(isEnded(last, regionId)).to.equal(true);
        expectSameTask(last, first, regionId);
      });
    }
  });
}
