// Names of our sockets in the kubelet's folder, and the removal of those that a killed agent left. It
// removes only what bears our form of name, is a socket, and answers nobody.
import { createHash } from 'node:crypto';
import { readdir, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CodedError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import type { ResourceName } from '../../policy/policy.ts';
import { socketIncarnation, socketPathProblem } from '../wire/socket.ts';

const form = /^wg-[0-9a-f]{8}-[0-9a-z]{6}\.sock$/;

/** The kubelet's own socket in its device plugin folder. */
export function kubeletSocket(folder: string): string {
  return join(folder, 'kubelet.sock');
}

/**
 * A file name for one more incarnation of a resource's server: never the same again, because closing a
 * server unlinks its path even when a later server has bound it (net.Server.close on a unix path).
 */
export function freshSocketName(resource: ResourceName, random: Random): string {
  const digest = createHash('sha256').update(resource).digest('hex').slice(0, 8);
  const token = random
    .below(36 ** 6)
    .toString(36)
    .padStart(6, '0');
  return `wg-${digest}-${token}.sock`;
}

/** Throws WG_KUBELET_SOCKET_FAILED when sockets in `folder` would have a path that is not allowed. */
export function checkFolder(folder: string): void {
  const problem = socketPathProblem('--kubelet-dir', join(folder, 'wg-00000000-000000.sock'));
  if (problem !== null) throw new CodedError('WG_KUBELET_SOCKET_FAILED', problem);
}

/** Removes sockets of our form that nobody serves, and returns their names. A missing folder has none. */
export async function removeStaleSockets(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const removed: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (!form.test(name) || (await socketIncarnation(path)) === null) continue;
    if (await isServed(path)) continue;
    await unlink(path).catch(() => undefined);
    removed.push(name);
  }
  return removed;
}

// Only ECONNREFUSED proves that nobody listens; any other failure leaves the file alone.
function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (problem: NodeJS.ErrnoException) => {
      socket.destroy();
      resolve(problem.code !== 'ECONNREFUSED');
    });
  });
}
