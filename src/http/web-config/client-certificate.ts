import { isIPv6, SocketAddress } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TlsConfig } from './tls-config.js';

/** Why a client whose handshake has ended may not go on; undefined if it may. */
export function refusalOf(socket: TLSSocket, { clientAuth, allowedSans }: TlsConfig): string | undefined {
  if (clientAuth === 'NoClientCert' || clientAuth === 'RequestClientCert') return undefined;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    return clientAuth === 'VerifyClientCertIfGiven' ? undefined : 'no client certificate';
  }
  if (clientAuth !== 'RequireAnyClientCert' && !socket.authorized) return 'the client certificate is not trusted';
  if (allowedSans === undefined) return undefined;
  const sans = subjectAltNames(certificate.subjectAltName ?? '');
  return sans.some((san) => allowedSans.includes(san)) ? undefined : 'no name of the client certificate is allowed';
}

/** The DNS names, mail addresses, addresses and URIs in Node's rendering, which writes strange ones as JSON strings. */
export function subjectAltNames(rendered: string): readonly string[] {
  const names: string[] = [];
  const entries = rendered.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy);
  for (const [, type, text = ''] of entries) {
    const name = text.startsWith('"') ? String(JSON.parse(text)) : text;
    if (type === 'IP Address') names.push(canonicalAddress(name));
    else if (type === 'DNS' || type === 'email' || type === 'URI') names.push(name);
  }
  return names;
}

function canonicalAddress(address: string): string {
  return isIPv6(address) ? new SocketAddress({ address, family: 'ipv6' }).address : address;
}
