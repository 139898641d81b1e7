// The folder that builds are kept in, and the lock that keeps two runs from building the same thing at once.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { globSync, readFileSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Program } from './programs.ts';

/** `$XDG_CACHE_HOME/wholegroup`, or `~/.cache/wholegroup`. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const home = env['XDG_CACHE_HOME'];
  const base = home === undefined || home === '' ? join(homedir(), '.cache') : home;
  return join(base, 'wholegroup');
}

const inputs = join(import.meta.dirname, 'binaries');

/** The folder with the inputs of a build. */
export function inputFolder(program: Program): string {
  return join(inputs, program.name);
}

/** The file that pins its modules. */
export function moduleFile(program: Program): string {
  return join(inputs, program.modules ?? program.name, 'go.mod');
}

/** What a build is called in the cache: its version, and a hash over everything that decides what comes out. */
export function buildKey(program: Program): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([program, process.arch]));
  for (const folder of new Set([inputFolder(program), dirname(moduleFile(program))])) {
    const files = globSync('**/*', { cwd: folder }).sort();
    for (const file of files.filter((name) => statSync(join(folder, name)).isFile()))
      hash.update(`\0${file}\0`).update(readFileSync(join(folder, file)));
  }
  return `${program.name}-${program.version}-${hash.digest('hex').slice(0, 16)}`;
}

/** The server of an abstract socket: the kernel takes the name back when its process ends, however it ends. */
async function bound(name: string): Promise<Server | null> {
  const server = createServer();
  server.listen(`\0${name}`);
  try {
    await once(server, 'listening');
    return server;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw thrown;
  }
}

/** Ends when whoever holds the name lets it go. */
async function released(name: string): Promise<void> {
  const socket = connect(`\0${name}`);
  await new Promise<void>((resolve) => {
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
  });
}

/** Runs `work` while no other process of this machine does so under the same name. `wait` is told once. */
export async function exclusively<T>(
  name: string,
  wait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  let told = false;
  for (;;) {
    const server = await bound(name);
    if (server === null) {
      if (!told) wait();
      told = true;
      await released(name);
      continue;
    }
    // Whoever waits hangs on a connection until this process lets go.
    const waiting = new Set<{ destroy(): void }>();
    server.on('connection', (socket) => waiting.add(socket));
    try {
      return await work();
    } finally {
      server.close();
      for (const socket of waiting) socket.destroy();
    }
  }
}
