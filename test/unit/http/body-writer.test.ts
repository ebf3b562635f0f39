import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { BodyWriter } from '../../../dist/http/body-writer.js';
import { FakeClock } from '../../helpers/fake-clock.js';
import { eventually } from '../../helpers/program.js';

const MIB = 2 ** 20;

describe('a response body larger than all that may be held for others', () => {
  let clock: FakeClock;
  let server: Server;
  let warnings: number;

  beforeEach(async () => {
    clock = new FakeClock();
    warnings = 0;
    const ignore = (): void => undefined;
    const log = { debug: ignore, info: ignore, warn: () => void warnings++, error: ignore };
    const writer = new BodyWriter({ clock, log });
    server = createServer((request, response) =>
      writer.send(request, response, [Buffer.alloc(Number(request.url!.slice(1)))]),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function ask(bytes: number): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo;
    const [response] = (await once(get({ port, host: '127.0.0.1', path: `/${bytes}`, agent: false }), 'response')) as [
      IncomingMessage,
    ];
    return response;
  }

  async function lengthOf(response: IncomingMessage): Promise<number> {
    let length = 0;
    response.on('error', () => undefined);
    for await (const chunk of response.iterator({ destroyOnReturn: false })) length += (chunk as Buffer).length;
    return length;
  }

  it('is not cut off, while it is read, by what others ask for', async () => {
    const large = await ask(31 * MIB);
    expect(await lengthOf(await ask(1))).to.equal(1);
    expect([await lengthOf(large), warnings]).to.deep.equal([31 * MIB, 0]);
  });

  it('is cut off by the next once nothing of it was read for a second', async () => {
    const large = await ask(31 * MIB);
    // What the system takes in for the client counts as read.
    await eventually('the warning', async () => {
      await clock.advance(1_000);
      await lengthOf(await ask(1));
      return warnings > 0 ? true : undefined;
    });
    const read: unknown = await lengthOf(large).catch((error: NodeJS.ErrnoException) => error.code);
    expect([read, warnings]).to.deep.equal(['ECONNRESET', 1]);
  });

  it('is cut off by the next, though it is read, beyond four times the bound', async () => {
    const large = await ask(97 * MIB);
    await lengthOf(await ask(1));
    const read: unknown = await lengthOf(large).catch((error: NodeJS.ErrnoException) => error.code);
    expect([read, warnings]).to.deep.equal(['ECONNRESET', 1]);
  });
});
