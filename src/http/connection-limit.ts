import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Lets a server hold no more connections than `most`: beyond that, the address that holds the most loses its newest. A
 * flood from one address shuts out nobody else, and one from many loses to who is there already.
 */
export function limitConnections(server: Server, most: number): void {
  const held = new Map<string, Set<Socket>>();
  let count = 0;
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const own = held.get(address) ?? new Set();
    held.set(address, own.add(socket));
    count++;
    socket.once('close', () => {
      count--;
      own.delete(socket);
      if (own.size === 0) held.delete(address);
    });
    if (count <= most) return;
    let largest = own;
    for (const sockets of held.values()) if (sockets.size > largest.size) largest = sockets;
    [...largest].at(-1)?.destroy();
  });
}
