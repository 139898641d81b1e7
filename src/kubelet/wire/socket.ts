// Facts about unix sockets that both sides of the kubelet's protocols need: addresses, the limit of a
// socket path, and how to tell one socket file from its successor of the same name.
import { lstat } from 'node:fs/promises';

/** Bytes that fit into sockaddr_un.sun_path (108) before the closing zero: unix(7). */
const socketPathMax = 107;

/** The address that grpc-js takes for a socket file with an absolute path. */
export function unixAddress(path: string): string {
  return `unix:${path}`;
}

/**
 * Options of a client on a unix socket. Without a pool of its own a new client takes over the connection,
 * and the back-off, of an earlier one with the same address.
 */
export const ownConnection = { 'grpc.use_local_subchannel_pool': 1 } as const;

/** What is wrong with a socket path, or null; `field` is what the user set it by. */
export function socketPathProblem(field: string, path: string): string | null {
  if (!path.startsWith('/')) return `${field}: the socket path ${path} is not absolute`;
  const bytes = Buffer.byteLength(path);
  if (bytes <= socketPathMax) return null;
  return `${field}: the socket path ${path} has ${bytes} bytes; a unix socket path has at most ${socketPathMax}`;
}

/**
 * Device, inode and change time of the socket file, or null when there is none. Inodes are used again at
 * once, so the inode alone does not tell a new socket. Errors other than ENOENT and ENOTDIR are thrown.
 */
export async function socketIncarnation(path: string): Promise<string | null> {
  try {
    const stat = await lstat(path, { bigint: true });
    return stat.isSocket() ? `${stat.dev}:${stat.ino}:${stat.ctimeNs}` : null;
  } catch (problem) {
    if (problem instanceof Error && 'code' in problem) {
      if (problem.code === 'ENOENT' || problem.code === 'ENOTDIR') return null;
    }
    throw problem;
  }
}
