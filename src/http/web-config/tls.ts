import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { RequestListener, ServerOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { createSecureContext, DEFAULT_CIPHERS } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { messageOf } from '../../errors.js';
import type { Logger } from '../../log.js';
import { refusalOf } from './client-certificate.js';
import { startHandshakesInTurns } from './handshakes.js';
import type { TlsConfig } from './tls-config.js';

/** A client that opens a connection and says nothing is not waited for long. */
const HANDSHAKE_TIMEOUT_MS = 10_000;
const TLS13_CIPHERS = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

export interface TlsServerOptions {
  readonly http: ServerOptions;
  readonly listener: RequestListener;
  /** The configuration in force; asked at the start of each connection, before its handshake. */
  readonly current: () => TlsConfig;
  readonly log: Logger;
}

/** An HTTPS server whose every new connection goes by the configuration in force. */
export function createTlsServer({ http, listener, current, log }: TlsServerOptions): Server {
  let applied = current();
  const server = createServer(
    { ...http, ...contextOptions(applied), ...clientPolicy(applied), handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
    listener,
  );
  apply(server, applied);
  startHandshakesInTurns(server, () => {
    const config = current();
    if (config !== applied) apply(server, config);
    applied = config;
  });
  closeHandshakesToo(server);
  // Before the HTTP parser sees the socket.
  server.prependListener('secureConnection', (socket) => {
    const refusal = refusalOf(socket, applied);
    if (refusal === undefined) return;
    log.debug('TLS connection refused', { address: socket.remoteAddress, reason: refusal });
    socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => {
    log.debug('TLS handshake failed', { address: socket.remoteAddress, error: messageOf(error) });
  });
  return server;
}

/** Why OpenSSL refuses what the configuration asks for, such as a key that is too short; undefined if it does not. */
export function problemOf(config: TlsConfig): string | undefined {
  try {
    createSecureContext(contextOptions(config));
    return undefined;
  } catch (error) {
    return `OpenSSL refuses it: ${messageOf(error)}`;
  }
}

/** Node knows only the connections whose handshake is done, and a stop would wait for the others. */
function closeHandshakesToo(server: Server): void {
  const sockets = new Set<Duplex>();
  server.prependListener('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const closeAll = server.closeAllConnections.bind(server);
  server.closeAllConnections = () => {
    closeAll();
    for (const socket of sockets) socket.destroy();
  };
}

function apply(server: Server, config: TlsConfig): void {
  const options = contextOptions(config);
  server.setSecureContext(options);
  // Read by the server for each connection; `setSecureContext` has no say in the one and drops an option of the other.
  // A Node that ignored these would refuse more clients, never fewer: the check after the handshake holds alone.
  Object.assign(server, clientPolicy(config), { _sharedCreds: createSecureContext(options) });
}

function clientPolicy({ clientAuth }: TlsConfig): { requestCert: boolean; rejectUnauthorized: boolean } {
  return {
    requestCert: clientAuth !== 'NoClientCert',
    rejectUnauthorized: clientAuth === 'RequireAndVerifyClientCert',
  };
}

function contextOptions(config: TlsConfig): SecureContextOptions & { readonly allowPartialTrustChain: boolean } {
  const { cert, key, clientCa, minVersion, maxVersion, ciphers, curves, preferServerCiphers } = config;
  // OpenSSL 3 has no TLS below 1.2 at its default security level.
  const level = minVersion < 'TLSv1.2' ? ['@SECLEVEL=0'] : [];
  const suites =
    ciphers === undefined
      ? [DEFAULT_CIPHERS]
      : [...TLS13_CIPHERS, ...ciphers.filter((name) => !name.startsWith('TLS_'))];
  return {
    cert,
    key: key.reveal(),
    ...(clientCa && { ca: [...clientCa] }),
    // Without one, OpenSSL ends the resumed sessions of clients with a certificate.
    sessionIdContext: 'web',
    // As in Go, a client CA need not be a root.
    allowPartialTrustChain: true,
    minVersion,
    maxVersion,
    ciphers: [...suites, ...level].join(':'),
    honorCipherOrder: preferServerCiphers,
    ...(curves && { ecdhCurve: curves.join(':') }),
  };
}
