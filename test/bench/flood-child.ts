/**
 * Floods a server until it is ended: forked with a JSON `Flood`. Each connection sends its requests at once; one that reads
 * is opened anew once all were answered.
 */
import { connect } from 'node:net';
import { setPriority } from 'node:os';
import { connect as connectTls } from 'node:tls';

export interface Flood {
  readonly port: number;
  readonly tls: boolean;
  readonly path: string;
  readonly connections: number;
  readonly requests: number;
  /** Whether what comes is read. */
  readonly reads: boolean;
}

const FLOOD_NICENESS = 5;
/** It comes from elsewhere: it must not take the CPU from who measures here. */
setPriority(FLOOD_NICENESS);
const REOPEN_MS = 100;
const { port, tls, path, connections, requests, reads } = JSON.parse(process.argv[2]!) as Flood;
const text = `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(requests);

function open(): void {
  const to = { host: '127.0.0.1', port };
  const socket = tls ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
  socket.on('error', () => undefined);
  if (reads) socket.once('close', () => setTimeout(open, REOPEN_MS));
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    socket.write(text);
    if (reads) socket.resume();
  });
}
for (let n = 0; n < connections; n++) open();
process.on('disconnect', () => process.exit(0));
