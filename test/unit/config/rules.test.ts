import { expect } from 'chai';
import { ACCOUNT, problemsOf } from './reading.js';

/** A claim, a text, and what it is refused with. */
type Case = readonly [claim: string, text: string, ...problems: string[]];

const CREDENTIALS = `${ACCOUNT}    credentials:\n`;
const TYPES = 'default, access_key, sts, ram_role_arn, oidc_role_arn, ecs_ram_role, credentials_uri';
const DURATION = 'must be a duration from 1ms to 24d, such as 500ms, 30s, 5m, 1h30m or 1d';
const AGE = 'must be a duration from 1ms to 10y, such as 500ms, 30s, 5m, 1h30m or 1d';
const TEXT = 'must be text, not empty and without control characters';
const SECRET = 'must be text, not empty and without spaces or control characters';

const FILE: readonly Case[] = [
  ['an empty file', '', 'c.yaml:1: accounts: required key is missing'],
  ['a file of comments', '# nothing\n', 'c.yaml:1: accounts: required key is missing'],
  [
    'a list for the whole',
    '- a\n',
    'c.yaml:1: must be a mapping of keys to values',
    'c.yaml:1: accounts: required key is missing',
  ],
  [
    'an unclosed quote',
    'accounts: "a\n',
    'c.yaml:2: YAML syntax: a closing quote, a bracket, a comma or the colon after a key is missing',
  ],
  [
    'a tab that indents',
    'accounts:\n\t- name: a\n',
    'c.yaml:2: YAML syntax: a tab indents this line; YAML allows spaces only',
  ],
  [
    'a second document',
    `${ACCOUNT}---\na: 1\n`,
    'c.yaml:4: YAML syntax: a file must hold one document; drop what follows ---',
  ],
  [
    'a tag',
    'accounts: !secret x\n',
    'c.yaml:1: YAML syntax: a tag (!name) is not known here; quote a text that begins with !',
  ],
  ['a key that is a list', '[a]: 1\n', 'c.yaml:1: YAML syntax: a key must be plain text'],
  [
    'an alias without an anchor',
    'accounts: *a\n',
    'c.yaml:1: YAML syntax: an alias (*name) needs an anchor (&name) before it',
  ],
  [
    'a merge of no mapping',
    `${ACCOUNT}polling: {<<: [1]}\n`,
    'c.yaml:4: polling["<<"][0]: 1: << must name a mapping, or a list of them',
  ],
  [
    'an unknown key with a known one near',
    `${ACCOUNT}polling:\n  idle_intervall: 5m\n`,
    'c.yaml:5: polling.idle_intervall: unknown key; did you mean idle_interval?',
  ],
  [
    'an unknown key with none near',
    `${ACCOUNT}colour: red\n`,
    'c.yaml:4: colour: unknown key; the keys here are accounts, polling, sharding, state',
  ],
  [
    'a duplicate key',
    `${ACCOUNT}polling:\n  timeout: 1s\n  timeout: 2s\n`,
    'c.yaml:6: polling.timeout: "2s": duplicate key; it was given in line 5 already',
  ],
  [
    'a text for a mapping',
    `${ACCOUNT}polling: fast\n`,
    'c.yaml:4: polling: "fast": must be a mapping of keys to values',
  ],
];

const ENVIRONMENT: readonly Case[] = [
  [
    'an unset variable',
    `${ACCOUNT}polling:\n  timeout: \${T}\n`,
    'c.yaml:5: polling.timeout: "${T}": environment variable T is not set; set it or write ${T:-default}',
  ],
  [
    'a variable with the wrong value',
    `${ACCOUNT}polling:\n  timeout: \${BAD}\n`,
    `c.yaml:5: polling.timeout: "\${BAD}": ${DURATION}`,
  ],
  [
    'a reference that is none',
    `${ACCOUNT}polling:\n  timeout: \${1}\n`,
    'c.yaml:5: polling.timeout: "${1}": not a reference to the environment; write ${NAME} or ${NAME:-default}, or $${ for a literal ${',
  ],
];

const ACCOUNTS: readonly Case[] = [
  ['no account', 'accounts: []\n', 'c.yaml:1: accounts: an empty list: must list at least one account'],
  ['no list of accounts', 'accounts:\n', 'c.yaml:1: accounts: no value: must be a list'],
  [
    'an account that is a text',
    'accounts: [a]\n',
    'c.yaml:1: accounts[0]: "a": must be a mapping of keys to values',
    'c.yaml:1: accounts[0].regions: required key is missing',
    'c.yaml:1: accounts[0].name: required key is missing',
  ],
  [
    'an account without name and regions',
    'accounts:\n  - stuck_after: 1h\n',
    'c.yaml:2: accounts[0].regions: required key is missing',
    'c.yaml:2: accounts[0].name: required key is missing',
  ],
  [
    'an account whose name is empty',
    'accounts:\n  - name: ""\n    regions: [x]\n',
    'c.yaml:2: accounts[0].name: "": must be 1 to 128 characters, without control characters and without spaces at the ends',
  ],
  [
    'an account whose name has a line break',
    'accounts:\n  - name: "a\\nb"\n    regions: [x]\n',
    'c.yaml:2: accounts[0].name: "a\\nb": must be 1 to 128 characters, without control characters and without spaces at the ends',
  ],
  [
    'a duplicate account',
    `${ACCOUNT}  - name: a\n    regions: [cn-beijing]\n`,
    'c.yaml:4: accounts[1].name: "a": duplicate account; it was given in line 2 already',
  ],
  [
    'an account without a region',
    'accounts:\n  - name: a\n    regions: []\n',
    'c.yaml:3: accounts[0].regions: an empty list: must list at least one region',
  ],
  [
    'a region id that is no part of a host name',
    'accounts:\n  - name: a\n    regions: [evil.com/]\n',
    'c.yaml:3: accounts[0].regions[0]: "evil.com/": must be a region id: small letters, digits and hyphens, such as cn-hangzhou',
  ],
  [
    'a region without id',
    'accounts:\n  - name: a\n    regions:\n      - network: vpc\n',
    'c.yaml:4: accounts[0].regions[0].id: required key is missing',
  ],
  [
    'a duplicate region',
    'accounts:\n  - name: a\n    regions:\n      - x\n      - id: x\n',
    'c.yaml:5: accounts[0].regions[1].id: "x": duplicate region; it was given in line 4 already',
  ],
  [
    'an unknown network',
    'accounts:\n  - name: a\n    regions: [{id: x, network: lan}]\n',
    'c.yaml:3: accounts[0].regions[0].network: "lan": must be public or vpc',
  ],
  [
    'a bad rate limit of an account',
    `${ACCOUNT}    rate_limit: {requests_per_second: 0, burst: 0.5}\n`,
    'c.yaml:4: accounts[0].rate_limit.requests_per_second: 0: must be a number from 0.001 to 10000',
    'c.yaml:4: accounts[0].rate_limit.burst: 0.5: must be a whole number from 1 to 10000',
  ],
];

const endpoint = (text: string): string =>
  `accounts:\n  - name: a\n    regions:\n      - id: x\n        endpoint: ${text}\n`;
const ENDPOINT = 'c.yaml:5: accounts[0].regions[0].endpoint';
const ENDPOINTS: readonly Case[] = [
  [
    'plain http to a host that is not loopback',
    endpoint('http://example.com'),
    `${ENDPOINT}: "http://example.com": plain http is allowed to a loopback address only; use https`,
  ],
  [
    'plain http to a host that begins like loopback',
    endpoint('http://127.0.0.1.example.com'),
    `${ENDPOINT}: "http://127.0.0.1.example.com": plain http is allowed to a loopback address only; use https`,
  ],
  [
    'an endpoint with a path',
    endpoint('https://rds.aliyuncs.com/api'),
    `${ENDPOINT}: "https://rds.aliyuncs.com/api": must hold no path, query or fragment`,
  ],
  [
    'an endpoint with a query',
    endpoint('https://rds.aliyuncs.com?a=1'),
    `${ENDPOINT}: "https://rds.aliyuncs.com?a=1": must hold no path, query or fragment`,
  ],
  [
    'an endpoint with a password, without showing it',
    endpoint('https://u:hunter2@rds.aliyuncs.com'),
    `${ENDPOINT}: must hold no user name or password`,
  ],
  [
    'an endpoint without a scheme',
    endpoint('rds.aliyuncs.com'),
    `${ENDPOINT}: "rds.aliyuncs.com": must be an address such as https://rds.aliyuncs.com`,
  ],
  [
    'an endpoint of another scheme',
    endpoint('ftp://rds.aliyuncs.com'),
    `${ENDPOINT}: "ftp://rds.aliyuncs.com": must be an address such as https://rds.aliyuncs.com`,
  ],
];

const instances = (text: string): string => `${ACCOUNT}    instances:\n      - ${text}\n`;
const INSTANCES: readonly Case[] = [
  [
    'an instance in a region the account does not list',
    instances('{id: rm-1, region: cn-beijing}'),
    'c.yaml:5: accounts[0].instances[0].region: "cn-beijing": the account does not list this region; add it to the regions of the account',
  ],
  [
    'an instance without id and region',
    instances('{}'),
    'c.yaml:5: accounts[0].instances[0].region: required key is missing',
    'c.yaml:5: accounts[0].instances[0].id: required key is missing',
  ],
  [
    'an instance id with a space',
    instances('{id: "rm 1", region: cn-hangzhou}'),
    'c.yaml:5: accounts[0].instances[0].id: "rm 1": must be an instance id, without spaces, such as rm-bp1example01',
  ],
  [
    'a duplicate instance',
    instances('{id: rm-1, region: cn-hangzhou}\n      - {id: rm-1, region: cn-hangzhou}'),
    'c.yaml:6: accounts[0].instances[1].id: "rm-1": duplicate instance; it was given in line 5 already',
  ],
  [
    'a label that instance_info has',
    instances('{id: rm-1, region: cn-hangzhou, labels: {engine: x}}'),
    'c.yaml:5: accounts[0].instances[0].labels.engine: "x": instance_info has a label of this name already',
  ],
  [
    'a label name of Prometheus',
    instances('{id: rm-1, region: cn-hangzhou, labels: {__name__: x}}'),
    'c.yaml:5: accounts[0].instances[0].labels.__name__: "x": label names that begin with __ belong to Prometheus',
  ],
  [
    'a label name that is none',
    instances('{id: rm-1, region: cn-hangzhou, labels: {a-b: x}}'),
    'c.yaml:5: accounts[0].instances[0].labels.a-b: "x": a label name must be letters, digits and underscores, and not begin with a digit',
  ],
  [
    'a label that tag_labels make',
    `${instances('{id: rm-1, region: cn-hangzhou, labels: {tag_team: x}}')}    discovery: {tag_labels: [team]}\n`,
    'c.yaml:5: accounts[0].instances[0].labels.tag_team: "x": instance_info has a label of this name by tag_labels ("team")',
  ],
  [
    'a label name in camel case, which promtool objects to',
    instances('{id: rm-1, region: cn-hangzhou, labels: {costCenter: x}}'),
    'c.yaml:5: accounts[0].instances[0].labels.costCenter: "x": a label name must be in snake case: cost_center',
  ],
  [
    'a label that a tag in camel case makes',
    `${instances('{id: rm-1, region: cn-hangzhou, labels: {tag_cost_center: x}}')}    discovery: {tag_labels: [costCenter]}\n`,
    'c.yaml:5: accounts[0].instances[0].labels.tag_cost_center: "x": instance_info has a label of this name by tag_labels ("costCenter")',
  ],
  [
    'half of a surrogate pair, which would make two names one series',
    instances('{id: "rm-\\ud800", region: cn-hangzhou}'),
    'c.yaml:5: accounts[0].instances[0].id: "rm-\\ud800": must be well-formed Unicode; it holds half of a surrogate pair',
  ],
  [
    'a label value with a control character',
    instances('{id: rm-1, region: cn-hangzhou, labels: {a: "x\\u0007"}}'),
    'c.yaml:5: accounts[0].instances[0].labels.a: "x\\u0007": must be text without control characters',
  ],
  [
    'a bad stuck_after of an instance',
    instances('{id: rm-1, region: cn-hangzhou, stuck_after: 2 h}'),
    `c.yaml:5: accounts[0].instances[0].stuck_after: "2 h": ${AGE}`,
  ],
];

const discovery = (text: string): string => `${ACCOUNT}    discovery: ${text}\n`;
const DISCOVERY: readonly Case[] = [
  [
    'a tag filter with 6 pairs',
    discovery('{tags: {a: 1, b: 2, c: 3, d: 4, e: 5, f: 6}}'),
    'c.yaml:4: accounts[0].discovery.tags: a mapping: 6 tags; the API filters by at most 5',
  ],
  [
    'a bad regular expression',
    discovery('{include: "(rm"}'),
    'c.yaml:4: accounts[0].discovery.include: "(rm": not a regular expression (JavaScript syntax): Unterminated group',
  ],
  [
    'a bad regular expression to exclude by',
    discovery('{exclude: "*"}'),
    'c.yaml:4: accounts[0].discovery.exclude: "*": not a regular expression (JavaScript syntax): Nothing to repeat',
  ],
  [
    'an engine the API does not have',
    discovery('{engines: [MySQL, mysql]}'),
    'c.yaml:4: accounts[0].discovery.engines[1]: "mysql": must be MySQL, SQLServer, PostgreSQL or MariaDB',
  ],
  [
    'an engine listed twice',
    discovery('{engines: [MySQL, MySQL]}'),
    'c.yaml:4: accounts[0].discovery.engines[1]: "MySQL": duplicate engine; it was given in line 4 already',
  ],
  [
    'a tag without a name',
    discovery('{tags: {"": x}}'),
    'c.yaml:4: accounts[0].discovery.tags[""]: "x": a tag name must have 1 to 128 characters, none of them a control character',
  ],
  [
    'tags that become one label',
    discovery('{tag_labels: [a-b, a.b]}'),
    'c.yaml:4: accounts[0].discovery.tag_labels[1]: "a.b": its label tag_a_b is also that of "a-b"; list one of the two',
  ],
  [
    'tags outside ASCII that become one label',
    discovery('{tag_labels: [团队, env, 部门]}'),
    'c.yaml:4: accounts[0].discovery.tag_labels[2]: "部门": its label tag___ is also that of "团队": only ASCII letters, digits and _ stay as they are, all else becomes _; list one of the two, or give the instances a tag with another name',
  ],
  [
    'tags that become one label in snake case',
    discovery('{tag_labels: [cost_center, env, costCenter]}'),
    'c.yaml:4: accounts[0].discovery.tag_labels[2]: "costCenter": its label tag_cost_center is also that of "cost_center"; list one of the two',
  ],
  [
    'a tag listed twice',
    discovery('{tag_labels: [env, env]}'),
    'c.yaml:4: accounts[0].discovery.tag_labels[1]: "env": this tag is listed already',
  ],
  [
    'a flag that is neither true nor false',
    discovery('{enabled: yes}'),
    'c.yaml:4: accounts[0].discovery.enabled: "yes": must be true or false',
  ],
  [
    'a bad refresh interval',
    discovery('{refresh_interval: 10}'),
    `c.yaml:4: accounts[0].discovery.refresh_interval: 10: ${DURATION}`,
  ],
  [
    'an empty resource group',
    discovery('{resource_group_id: ""}'),
    `c.yaml:4: accounts[0].discovery.resource_group_id: "": ${TEXT}`,
  ],
];

const polling = (text: string): string => `${ACCOUNT}polling: {${text}}\n`;
const POLLING: readonly Case[] = [
  ['a bad duration', polling('idle_interval: 5 minutes'), `c.yaml:4: polling.idle_interval: "5 minutes": ${DURATION}`],
  ['an interval of nothing', polling('active_interval: 0'), `c.yaml:4: polling.active_interval: 0: ${DURATION}`],
  ['a timeout beyond what timers hold', polling('timeout: 25d'), `c.yaml:4: polling.timeout: "25d": ${DURATION}`],
  [
    'no concurrency',
    polling('concurrency: 0'),
    'c.yaml:4: polling.concurrency: 0: must be a whole number from 1 to 1024',
  ],
  [
    'a concurrency in words',
    polling('concurrency: many'),
    'c.yaml:4: polling.concurrency: "many": must be a whole number from 1 to 1024',
  ],
  [
    'half an attempt',
    polling('max_attempts: 1.5'),
    'c.yaml:4: polling.max_attempts: 1.5: must be a whole number from 1 to 20',
  ],
  [
    'a list for a number',
    polling('concurrency: [1]'),
    'c.yaml:4: polling.concurrency: a list: must be a whole number from 1 to 1024',
  ],
  [
    'an endless rate',
    polling('rate_limit: {requests_per_second: .inf}'),
    'c.yaml:4: polling.rate_limit.requests_per_second: .inf: must be a number from 0.001 to 10000',
  ],
  [
    'stale_after below idle_interval',
    polling('idle_interval: 10m, stale_after: 5m'),
    'c.yaml:4: polling.stale_after: "5m": stale_after must be at least idle_interval (10m)',
  ],
];

const SHARDING: readonly Case[] = [
  [
    'an index not below count',
    `${ACCOUNT}sharding: {index: 4, count: 4}\n`,
    'c.yaml:4: sharding.index: 4: the index must be below count (4); indexes begin at 0',
  ],
  [
    'POD_NAME unset with auto',
    `${ACCOUNT}sharding: {index: auto, count: 4}\n`,
    'c.yaml:4: sharding.index: "auto": POD_NAME is not set; set it from metadata.name of a StatefulSet, or give the index as a number',
  ],
  [
    'an index that is no number',
    `${ACCOUNT}sharding: {index: first, count: 4}\n`,
    'c.yaml:4: sharding.index: "first": must be a whole number from 0 to 999, or auto',
  ],
  [
    'no shards',
    `${ACCOUNT}sharding: {count: 0}\n`,
    'c.yaml:4: sharding.count: 0: must be a whole number from 1 to 1000',
  ],
];

const STATE: readonly Case[] = [
  ['a state without a path', `${ACCOUNT}state:\n`, 'c.yaml:4: state.path: required key is missing'],
  ['a state with an empty path', `${ACCOUNT}state: {path: ""}\n`, `c.yaml:4: state.path: "": ${TEXT}`],
];

const KEY = 'c.yaml:4: accounts[0].credentials';
const TYPED: readonly Case[] = [
  [
    'an unknown credential type',
    `${CREDENTIALS}      type: acces_key\n`,
    `c.yaml:5: accounts[0].credentials.type: "acces_key": unknown credential type; the types are ${TYPES}`,
  ],
  [
    'credentials without a type',
    `${CREDENTIALS}      access_key_id: x\n`,
    `${KEY}: required key type is missing; the types are ${TYPES}`,
  ],
  [
    'credentials that are a text, without showing it',
    `${ACCOUNT}    credentials: hunter2\n`,
    `${KEY}: must be a mapping with a type; the types are ${TYPES}`,
  ],
  [
    'access_key without its keys',
    `${CREDENTIALS}      type: access_key\n`,
    `${KEY}.access_key_id: required key is missing; give access_key_id or access_key_id_file`,
    `${KEY}.access_key_secret: required key is missing; give access_key_secret or access_key_secret_file`,
  ],
  [
    'both forms of a secret',
    `${CREDENTIALS}      type: access_key\n      access_key_id: x\n      access_key_secret: hunter2\n      access_key_secret_file: /dev/null\n`,
    'c.yaml:8: accounts[0].credentials.access_key_secret_file: access_key_secret is given as well; give one of the two',
  ],
  [
    'an empty secret',
    `${CREDENTIALS}      type: access_key\n      access_key_id: x\n      access_key_secret: ""\n`,
    `c.yaml:7: accounts[0].credentials.access_key_secret: ${SECRET}`,
  ],
  [
    'a secret that a variable leaves empty',
    `${CREDENTIALS}      type: access_key\n      access_key_id: x\n      access_key_secret: \${EMPTY}\n`,
    `c.yaml:7: accounts[0].credentials.access_key_secret: ${SECRET}`,
  ],
  [
    'a secret that is a mapping',
    `${CREDENTIALS}      type: access_key\n      access_key_id: x\n      access_key_secret: {a: hunter2}\n`,
    `c.yaml:7: accounts[0].credentials.access_key_secret: ${SECRET}`,
  ],
  [
    'sts without its token',
    `${CREDENTIALS}      {type: sts, access_key_id: x, access_key_secret: y}\n`,
    'c.yaml:4: accounts[0].credentials.security_token: required key is missing; give security_token or security_token_file',
  ],
  [
    'a key of another type',
    `${CREDENTIALS}      {type: ecs_ram_role, role_arn: x}\n`,
    'c.yaml:5: accounts[0].credentials.role_arn: unknown key; the keys here are type, role_name',
  ],
  [
    'a key that looks like a secret, without showing it',
    `${CREDENTIALS}      {type: ecs_ram_role, LTAI5tHunter2}\n`,
    'c.yaml:5: accounts[0].credentials[…]: unknown key; the keys here are type, role_name',
  ],
  [
    'a role ARN that is none',
    `${CREDENTIALS}      {type: ram_role_arn, role_arn: admin}\n`,
    'c.yaml:5: accounts[0].credentials.role_arn: "admin": must have the form acs:ram::ACCOUNT:role/NAME',
  ],
  [
    'a session shorter than STS gives',
    `${CREDENTIALS}      {type: ram_role_arn, role_arn: 'acs:ram::1:role/a', duration: 1m}\n`,
    'c.yaml:5: accounts[0].credentials.duration: "1m": must be a duration from 15m to 12h, such as 500ms, 30s, 5m, 1h30m or 1d',
  ],
  [
    'a session name that STS refuses',
    `${CREDENTIALS}      {type: ram_role_arn, role_arn: 'acs:ram::1:role/a', role_session_name: a b}\n`,
    'c.yaml:5: accounts[0].credentials.role_session_name: "a b": must be 2 to 64 letters, digits and . @ - _',
  ],
  [
    'an STS endpoint with a scheme',
    `${CREDENTIALS}      {type: ram_role_arn, role_arn: 'acs:ram::1:role/a', sts_endpoint: 'https://sts.aliyuncs.com'}\n`,
    'c.yaml:5: accounts[0].credentials.sts_endpoint: "https://sts.aliyuncs.com": must be a host or host:port, such as sts.cn-hangzhou.aliyuncs.com (it is always called by https)',
  ],
  [
    'an STS endpoint with a port that is none',
    `${CREDENTIALS}      {type: ram_role_arn, role_arn: 'acs:ram::1:role/a', sts_endpoint: 'sts:99999'}\n`,
    'c.yaml:5: accounts[0].credentials.sts_endpoint: "sts:99999": must be a host or host:port, such as sts.cn-hangzhou.aliyuncs.com (it is always called by https)',
  ],
  [
    'a source of an unknown type',
    `${CREDENTIALS}      {type: ram_role_arn, role_arn: 'acs:ram::1:role/a', source: {type: x}}\n`,
    `c.yaml:5: accounts[0].credentials.source.type: "x": unknown credential type; the types are ${TYPES}`,
  ],
  [
    'a source that is its own source',
    `${ACCOUNT}    credentials: &c {type: ram_role_arn, role_arn: 'acs:ram::1:role/a', source: *c}\n`,
    `${KEY}${'.source'.repeat(6)}: more than 5 sources behind each other`,
  ],
  [
    'OIDC without its keys',
    `${CREDENTIALS}      {type: oidc_role_arn}\n`,
    `${KEY}.role_arn: required key is missing`,
    `${KEY}.oidc_provider_arn: required key is missing`,
    `${KEY}.oidc_token_file: required key is missing`,
  ],
  [
    'an OIDC token file that is absent',
    `${CREDENTIALS}      {type: oidc_role_arn, role_arn: 'acs:ram::1:role/a', oidc_provider_arn: 'acs:ram::1:oidc-provider/a', oidc_token_file: /nowhere}\n`,
    'c.yaml:5: accounts[0].credentials.oidc_token_file: "/nowhere": the file cannot be used: no such file',
  ],
  [
    'an RAM role name that is none',
    `${CREDENTIALS}      {type: ecs_ram_role, role_name: a/b}\n`,
    'c.yaml:5: accounts[0].credentials.role_name: "a/b": must be the name of a RAM role: letters, digits and . - _',
  ],
  [
    'a credentials URI of another scheme, without showing it',
    `${CREDENTIALS}      {type: credentials_uri, uri: 'file:///hunter2'}\n`,
    'c.yaml:5: accounts[0].credentials.uri: must be an http or https URL',
  ],
  [
    'an unreadable secret file',
    `${CREDENTIALS}      {type: credentials_uri, uri_file: /nowhere/token}\n`,
    'c.yaml:5: accounts[0].credentials.uri_file: "/nowhere/token": the file cannot be used: no such file',
  ],
  [
    'a secret file that is a directory',
    `${CREDENTIALS}      {type: credentials_uri, uri_file: /}\n`,
    'c.yaml:5: accounts[0].credentials.uri_file: "/": the file cannot be used: it is a directory',
  ],
  [
    'a secret file that could be endless',
    `${CREDENTIALS}      {type: credentials_uri, uri_file: /dev/zero}\n`,
    'c.yaml:5: accounts[0].credentials.uri_file: "/dev/zero": the file cannot be used: it is not a regular file',
  ],
  [
    'a secret given for the path of its file, without showing it',
    `${CREDENTIALS}      {type: credentials_uri, uri_file: hunter2}\n`,
    'c.yaml:5: accounts[0].credentials.uri_file: the file cannot be used: no such file',
  ],
];

const GROUPS = { FILE, ENVIRONMENT, ACCOUNTS, ENDPOINTS, INSTANCES, DISCOVERY, POLLING, SHARDING, STATE, TYPED };

describe('a configuration is refused for', () => {
  for (const cases of Object.values(GROUPS)) {
    for (const [claim, text, ...problems] of cases) {
      it(claim, () => {
        expect(problemsOf(text, { BAD: 'planted', EMPTY: '' })).to.deep.equal(problems);
      });
    }
  }
});
