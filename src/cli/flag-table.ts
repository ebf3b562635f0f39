import { LOG_FORMATS, LOG_LEVELS } from '../log.js';

export interface FlagRow {
  readonly name: string;
  /** What stands for the value in the help text; undefined for a switch. */
  readonly value?: string;
  /** Shown in the help text and used when the flag is not given. */
  readonly fallback?: string;
  readonly repeatable?: boolean;
  /** The flag as one letter. */
  readonly short?: string;
  /** A flag without which this one has no effect. */
  readonly needs?: string;
  /** Flags that cannot be given together with this one. */
  readonly excludes?: readonly string[];
  readonly meaning: string;
}

/** What only a server has a use for; a check reads the file of `web.config.file` as well. */
const SERVING = ['web.listen-address', 'web.telemetry-path', 'web.enable-lifecycle'] as const;

/** Every flag: for parsing, for `--help`, and for the table in docs/configuration.md. */
export const FLAGS = [
  { name: 'config.file', value: 'PATH', fallback: 'config.yaml', meaning: 'configuration file' },
  {
    name: 'config.check',
    excludes: ['once', ...SERVING],
    meaning: 'validate the file, and that of --web.config.file, print OK or every problem, and exit with 0 or 2',
  },
  {
    name: 'config.check-permissions',
    needs: 'config.check',
    meaning:
      'with --config.check: call each needed API action once per account and region, print what is allowed, and exit with 1 unless everything is allowed',
  },
  {
    name: 'once',
    excludes: [...SERVING, 'web.config.file'],
    meaning: 'poll every target once, print the metrics to stdout, and exit with 0, or 1 if any target failed',
  },
  {
    name: 'demo',
    excludes: ['config.file', 'config.check'],
    meaning:
      'run against the built-in simulator, without a configuration file; listens on 127.0.0.1:10525 unless told otherwise',
  },
  {
    name: 'demo.instances',
    value: 'N',
    fallback: '24',
    needs: 'demo',
    meaning: 'with --demo: size of the simulated fleet',
  },
  {
    name: 'web.listen-address',
    value: '[HOST]:PORT',
    fallback: ':10525',
    repeatable: true,
    meaning: 'address to listen on; repeatable',
  },
  { name: 'web.telemetry-path', value: 'PATH', fallback: '/metrics', meaning: 'path of the metrics' },
  {
    name: 'web.config.file',
    value: 'PATH',
    meaning: "TLS and basic auth, in the format of Prometheus' exporter-toolkit",
  },
  { name: 'web.enable-lifecycle', meaning: 'allow POST and PUT on /-/reload' },
  { name: 'log.level', value: LOG_LEVELS.join('|'), fallback: 'info', meaning: 'lowest level that is logged' },
  { name: 'log.format', value: LOG_FORMATS.join('|'), fallback: 'logfmt', meaning: 'format of the log on stderr' },
  { name: 'version', meaning: 'print the version and exit' },
  { name: 'help', short: 'h', meaning: 'print this text and exit; -h does the same' },
] as const satisfies readonly FlagRow[];

/** What `--help` prints. */
export function helpText(): string {
  const rows: readonly FlagRow[] = FLAGS;
  const lines = rows.map(({ name, value, fallback, meaning }) => {
    const flag = `  --${name}${value === undefined ? '' : `=${value}`}`;
    return `${flag}\n        ${meaning}${fallback === undefined ? '' : ` (default ${fallback})`}`;
  });
  return `Usage: alicloud-rds-backup-exporter [flags]\n\nFlags, as --flag=value or --flag value:\n${lines.join('\n')}\n`;
}
