import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { parse } from 'yaml';

export type Labels = Readonly<Record<string, string>>;

export interface Notification {
  readonly path: string;
  readonly status: string;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface SlackMessage {
  readonly title: string;
  readonly text: string;
}

interface Receiver {
  readonly name: string;
  readonly webhook_configs?: readonly object[];
  readonly slack_configs?: readonly object[];
}

/** `alertname instance_id`, or the region or job where it has no instance. */
export function nameOf({ alertname, instance_id: instance, region_id: region, job }: Labels): string {
  return `${alertname} ${instance ?? region ?? job}`;
}

/** Whoever is on call: takes what Alertmanager sends to webhooks and to Slack, on loopback. */
export class OnCall {
  readonly notifications: Notification[] = [];
  readonly slack: SlackMessage[] = [];
  readonly #server = createServer((request, response) => {
    void json(request).then((body) => {
      this.#take(request.url ?? '', body);
      response.end('ok');
    });
  });

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** The shipped example with every receiver's address here. A mail comes as a webhook too. */
  routing(example: string): string {
    const address = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const config: { receivers: Receiver[] } = parse(example.replaceAll(/url: http:\/\/[^/]+/g, `url: ${address}`));
    const receivers = config.receivers.map(
      ({ name, slack_configs, webhook_configs = [{ url: `${address}/${name}` }] }) => ({
        name,
        slack_configs,
        webhook_configs,
      }),
    );
    return JSON.stringify({ ...config, global: { slack_api_url: `${address}/slack` }, receivers });
  }

  /** What webhooks got about an account, or about none: `alert by way`, sorted. */
  sent(status: string, account: string): readonly string[] {
    return this.notifications
      .filter(({ status: given, labels }) => given === status && (labels.account ?? account) === account)
      .map(({ labels, path }) => `${nameOf(labels)} by ${path.split('/')[1]}`)
      .toSorted();
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #take(path: string, body: unknown): void {
    if (path === '/slack') {
      this.slack.push(...(body as { attachments: SlackMessage[] }).attachments);
      return;
    }
    for (const alert of (body as { alerts: Notification[] }).alerts) {
      const { status, labels, annotations } = alert;
      this.notifications.push({ path, status, labels, annotations });
    }
  }
}
