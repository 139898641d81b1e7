// Joins two places of connections, such as a port of this machine and one inside an enclosure.
import type { Server, Socket } from 'node:net';

/** Connections to `server` go on to the other place. */
export function forward(server: Server, to: () => Socket): Server {
  return server.on('connection', (near) => {
    const far = to();
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
  });
}
