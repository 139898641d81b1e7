// A socket through which other processes run scripts in a guest: one connection for each, the script until its end is
// told, then the answer as JSON.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { errorText } from '../../../src/base/errors.ts';
import type { Said } from '../channel.ts';
import type { GuestNode } from '../guest-node.ts';

/** All that comes; the other direction stays open. */
async function heard(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await new Promise<void>((resolve, reject) => {
    socket.on('end', resolve).on('error', reject);
  });
  return text;
}

/** Answers on a socket for as long as the server is open. */
export function serveGuest(guest: GuestNode, path: string): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const answer = async (): Promise<Said> => await guest.run(await heard(socket));
    answer()
      .catch((thrown: unknown): Said => ({ status: 1, output: `${errorText(thrown)}\n` }))
      .then((said) => socket.end(JSON.stringify(said)))
      .catch(() => socket.destroy());
  });
  return server.listen(path);
}

/** Runs a script in the guest behind a socket. */
export async function askGuest(path: string, script: string): Promise<Said> {
  const socket = connect(path);
  socket.end(script);
  return JSON.parse(await heard(socket)) as Said;
}
