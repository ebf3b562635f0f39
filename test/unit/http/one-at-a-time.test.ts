import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { needTool } from '../../helpers/tools.js';
import { Certificates } from './web-config/certificates.js';
import { dialogue, serve } from './helpers.js';
import type { TestServer } from './helpers.js';

const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

for (const scheme of ['HTTP', 'HTTPS']) {
  describe(`pipelined requests by ${scheme}`, () => {
    const certificates = new Certificates();
    let server: TestServer;
    let socket: Socket;
    let told: string;
    /** Requests that were handed to the listener, and how each is answered. */
    let begun: { readonly path: string; readonly response: ServerResponse }[];
    let arrived: (() => void) | undefined;

    before(function () {
      if (scheme === 'HTTP') return;
      needTool(this, 'openssl', 'openssl');
      certificates.selfSigned('server', ['subjectAltName=IP:127.0.0.1']);
    });
    after(() => certificates.remove());

    beforeEach(async () => {
      begun = [];
      told = '';
      const listener = ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
        begun.push({ path: url, response });
        arrived?.();
      };
      const secure = (options: object) =>
        createServer(
          { ...options, cert: certificates.text('server.pem'), key: certificates.text('server.key') },
          listener,
        );
      server = await serve(listener, scheme === 'HTTPS' ? { createServer: secure } : {});
      const to = { host: '127.0.0.1', port: server.port };
      socket = scheme === 'HTTPS' ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
      socket.on('data', (chunk: Buffer) => (told += chunk.toString())).on('error', () => undefined);
      await once(socket, scheme === 'HTTPS' ? 'secureConnect' : 'connect');
    });

    afterEach(async () => {
      socket.destroy();
      await server.close();
    });

    async function reach(count: number): Promise<void> {
      while (begun.length < count) await new Promise<void>((resolve) => (arrived = resolve));
    }

    /** Another connection is answered, so that everything before it was seen. */
    async function settle(): Promise<void> {
      const before = begun.length;
      const other =
        scheme === 'HTTPS' ? connectTls({ port: server.port, rejectUnauthorized: false }) : connect(server.port);
      other.on('error', () => undefined).write(request('/other'));
      await reach(before + 1);
      const asked = begun.splice(before, 1)[0];
      expect(asked?.path).to.equal('/other');
      other.destroy();
    }

    it('start one after the other, each once the response before it has ended', async () => {
      socket.write(['/0', '/1', '/2'].map(request).join(''));
      for (const [index, path] of ['/0', '/1', '/2'].entries()) {
        await reach(index + 1);
        await settle();
        expect(begun.map((one) => one.path)).to.deep.equal(['/0', '/1', '/2'].slice(0, index + 1));
        begun[index]?.response.end(`answer to ${path}\n`);
      }
      while (!told.includes('/2')) await once(socket, 'data');
      expect(told.match(/answer to \S+/g)).to.deep.equal(['answer to /0', 'answer to /1', 'answer to /2']);
    });

    it('start in order however their bytes arrive, with and without a body', async () => {
      const text = `${request('/0')}POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\na\nb\nc${request('/2')}`;
      const cut = text.indexOf('/1 ') + 1;
      socket.write(text.slice(0, cut));
      await reach(1);
      socket.write(text.slice(cut));
      await settle();
      expect(begun.map((one) => one.path)).to.deep.equal(['/0']);
      begun[0]?.response.end('0');
      await reach(2);
      await settle();
      expect(begun.map((one) => one.path)).to.deep.equal(['/0', '/1']);
    });
  });
}

describe('nonsense after a request', () => {
  it('is refused once the request is answered', async () => {
    const server = await serve((_request, response) => response.end('hello'));
    const told = await dialogue(server.port, `${request('/')}nonsense\r\n\r\n`);
    expect(told.match(/HTTP\/1\.1 \d+|hello/g)).to.deep.equal(['HTTP/1.1 200', 'hello', 'HTTP/1.1 400']);
    await server.close();
  });
});

describe('a client that sends far ahead of its responses', () => {
  it('is disconnected when more than 32 kB wait', async () => {
    const begun: (string | undefined)[] = [];
    const server = await serve(({ url }) => void begun.push(url));
    expect(await dialogue(server.port, request('/0') + request(`/${'a'.repeat(8_000)}`).repeat(7))).to.equal('');
    expect(begun).to.deep.equal(['/0']);
    await server.close();
  });
});

describe('a flood of empty lines', () => {
  it('is followed by the request after it', async () => {
    const server = await serve((_request, response) => response.end('hello'));
    const text = `${'\r\n'.repeat(20_000)}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    expect(await dialogue(server.port, text)).to.match(/hello/);
    await server.close();
  });
});
