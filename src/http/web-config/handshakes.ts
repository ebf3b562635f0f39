import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import { quietTurns } from './turns.js';

/**
 * Makes a server start handshakes, which cost most of a connection, two a turn of the event loop: that of the newest
 * connection, which then does not wait for a flood before it, and that of the oldest, which nothing after it delays for ever.
 */
export function startHandshakesInTurns(server: Server, prepare: () => void, turns = quietTurns): void {
  const [start] = server.listeners('connection');
  if (start === undefined) throw new Error('the server starts no handshake');
  server.removeAllListeners('connection');
  const waiting: Socket[] = [];
  const turn = (): void => {
    for (const socket of [waiting.pop(), waiting.shift()]) {
      if (socket === undefined || socket.destroyed) continue;
      prepare();
      start.call(server, socket);
    }
    if (waiting.length > 0) turns.run(turn);
  };
  server.on('connection', (socket: Socket) => {
    // Until its handshake starts, nobody else listens.
    socket.on('error', () => undefined);
    if (waiting.length === 0) turns.run(turn);
    waiting.push(socket);
  });
}
