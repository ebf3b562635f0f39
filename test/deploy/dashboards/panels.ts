/** Panels, variables and layout that both dashboards share. */
import {
  BigValueGraphMode,
  GraphDrawStyle,
  TableSortByFieldStateBuilder,
  VisibilityMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  MappingType,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type Panel,
  type Threshold,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as BarGauge } from '@grafana/grafana-foundation-sdk/bargauge';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimeline } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as Table } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeSeries } from '@grafana/grafana-foundation-sdk/timeseries';

const TAG = 'alicloud-rds-backup';
const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' };
const GRID_COLUMNS = 24;

type AnyBuilder = BarGauge | Stat | StateTimeline | Table | TimeSeries;

export interface Query {
  readonly expr: string;
  /** The legend, or in a table the heading of the column. */
  readonly name?: string;
}

export interface PanelText {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
}

function dress<B extends AnyBuilder>(builder: B, { title, description, unit }: PanelText): B {
  builder.title(title).description(description).unit(unit).datasource(DATA_SOURCE);
  return builder;
}

function target({ expr, name }: Query, index: number): DataqueryBuilder {
  const query = new DataqueryBuilder()
    .datasource(DATA_SOURCE)
    .refId(String.fromCodePoint(65 + index))
    .expr(expr);
  // The slowest scrape interval that the rules allow: a range of $__rate_interval is then four scrapes, whatever the
  // data source is told.
  if (expr.includes('$__rate_interval')) query.interval('2m');
  return name === undefined ? query : query.legendFormat(name);
}

/** One number, red from `bad` on, or below `good`. Where there is none it is not known. */
export function stat(text: PanelText & { readonly bad?: number; readonly good?: number }): Stat {
  const steps: Threshold[] = [{ value: null, color: text.good === undefined ? 'green' : 'red' }];
  if (text.bad !== undefined) steps.push({ value: text.bad, color: 'red' });
  if (text.good !== undefined) steps.push({ value: text.good, color: 'green' });
  return dress(new Stat(), text)
    .noValue('unknown')
    .graphMode(BigValueGraphMode.None)
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
    .targets(text.queries.map((query, index) => target(query, index).instant()));
}

const OUTCOME_COLORS = { Finished: 'green', Failed: 'red', Unknown: 'orange' };

/** Lines; bars in the colours of the outcomes where the legend ends with one. */
export function timeSeries(text: PanelText & { readonly max?: number; readonly byOutcome?: boolean }): TimeSeries {
  const panel = dress(new TimeSeries(), text)
    .min(0)
    .showPoints(VisibilityMode.Never)
    .targets(text.queries.map((query, index) => target(query, index).range()));
  if (text.byOutcome === true) {
    panel.drawStyle(GraphDrawStyle.Bars);
    for (const [outcome, fixedColor] of Object.entries(OUTCOME_COLORS)) {
      panel.overrideByRegexp(`/${outcome}$/`, [{ id: 'color', value: { mode: 'fixed', fixedColor } }]);
    }
  }
  return text.max === undefined ? panel : panel.max(text.max);
}

export function bars(text: PanelText): BarGauge {
  return dress(new BarGauge(), text)
    .min(0)
    .targets(text.queries.map((query, index) => target(query, index).instant()));
}

const STATE_COLORS: Readonly<Record<string, string>> = {
  NoStart: 'text',
  Checking: 'super-light-blue',
  Preparing: 'light-blue',
  Waiting: 'yellow',
  Uploading: 'blue',
  Finished: 'green',
  Failed: 'red',
  Other: 'purple',
};

/** Shows numbers from 1 as the states of the list. */
export function stateTimeline(text: PanelText & { readonly states: readonly string[] }): StateTimeline {
  const options = Object.fromEntries(
    text.states.map((state, index) => [
      String(index + 1),
      { text: state, color: STATE_COLORS[state] ?? 'text', index },
    ]),
  );
  const mapping: ValueMapping = { type: MappingType.ValueToText, options };
  return dress(new StateTimeline(), text)
    .mappings([mapping])
    .mergeValues(true)
    .showValue(VisibilityMode.Auto)
    .targets(text.queries.map((query, index) => target(query, index).range()));
}

export interface Column {
  readonly name: string;
  readonly expr: string;
  readonly unit: string;
  /** Shown as a bar from 0 to 1. */
  readonly bar?: boolean;
}

interface TableText extends Omit<PanelText, 'queries'> {
  readonly columns: readonly Column[];
  /** The column by which the rows are in falling order. */
  readonly highestFirst?: string;
}

/** One row an instance (and mode), one column a query; the instance links to its own dashboard. */
export function table(text: TableText): Table {
  const { columns, highestFirst } = text;
  const panel = dress(new Table(), { ...text, queries: [] })
    .targets(columns.map(({ expr }, index) => target({ expr }, index).instant().format(PromQueryFormat.Table)))
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        renameByName: {
          account: 'Account',
          region_id: 'Region',
          instance_id: 'Instance',
          name: 'Name',
          mode: 'Mode',
          engine: 'Engine',
          engine_version: 'Version',
          backup_job_id: 'Job id',
          task_action: 'Action',
          outcome: 'Outcome',
          ...Object.fromEntries(columns.map(({ name }, index) => [valueField(columns, index), name])),
        },
      },
    })
    .overrideByName('Instance', [{ id: 'links', value: [{ title: 'Show the instance', url: INSTANCE_LINK }] }]);
  if (highestFirst !== undefined) {
    panel.sortBy([new TableSortByFieldStateBuilder().displayName(highestFirst).desc(true)]);
  }
  for (const { name, unit, bar } of columns) {
    const gauge = [
      { id: 'min', value: 0 },
      { id: 'max', value: 1 },
      { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic' } },
    ];
    panel.overrideByName(name, [{ id: 'unit', value: unit }, ...(bar === true ? gauge : [])]);
  }
  return panel;
}

/** Grafana numbers the value column only where there are several. */
function valueField(columns: readonly Column[], index: number): string {
  return columns.length === 1 ? 'Value' : `Value #${String.fromCodePoint(65 + index)}`;
}

/** From a row of a table; the series of the other panels carry their labels in the legend. */
const INSTANCE_LINK =
  '/d/rds-backup-instance?${datasource:queryparam}&${__url_time_range}' +
  '&var-account=${__data.fields.Account}&var-region=${__data.fields.Region}&var-instance=${__data.fields.Instance}';

interface Placed {
  /** Of 24 columns. */
  readonly width: number;
  readonly panel: AnyBuilder;
}

export interface Row {
  readonly height: number;
  readonly panels: readonly Placed[];
}

function place(rows: readonly Row[], onto: DashboardBuilder): void {
  let id = 1;
  let y = 0;
  for (const { height, panels } of rows) {
    let x = 0;
    for (const { width, panel } of panels) {
      onto.withPanel(panel.id(id++).gridPos({ x, y, w: width, h: height }));
      x += width;
    }
    if (x !== GRID_COLUMNS) throw new Error(`row at ${y} is ${x} columns wide`);
    y += height;
  }
}

function variable(name: string, label: string, query: string): QueryVariableBuilder {
  return (
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(DATA_SOURCE)
      .query({ query, refId: name })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      // oxlint-disable-next-line unicorn/no-array-sort -- the order of a variable's values, not of an array
      .sort(VariableSort.AlphabeticalAsc)
  );
}

function many(builder: QueryVariableBuilder): QueryVariableBuilder {
  return builder
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}

const LABELS = {
  job: 'label_values(alicloud_rds_backup_exporter_build_info, job)',
  account: 'label_values(alicloud_rds_backup_exporter_targets{job=~"$job"}, account)',
  region: 'label_values(alicloud_rds_backup_exporter_targets{job=~"$job",account=~"$account"}, region_id)',
  instance:
    'label_values(alicloud_rds_backup_instance_info{job=~"$job",account=~"$account",region_id=~"$region"}, instance_id)',
} as const;

export interface DashboardText {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  /** Whether several instances can be shown at once. */
  readonly manyInstances: boolean;
  readonly rows: readonly Row[];
}

export function dashboard({ uid, title, description, manyInstances, rows }: DashboardText): Dashboard {
  const instance = variable('instance', 'Instance', LABELS.instance);
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .readonly()
    .refresh('1m')
    .time({ from: 'now-24h', to: 'now' })
    .timezone('browser')
    .link(
      new DashboardLinkBuilder('RDS backups')
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(many(variable('job', 'Job', LABELS.job)))
    .withVariable(many(variable('account', 'Account', LABELS.account)))
    .withVariable(many(variable('region', 'Region', LABELS.region)))
    .withVariable(manyInstances ? many(instance) : instance);
  place(rows, builder);
  return { ...builder.build(), id: null };
}

export type { Dashboard, Panel };
