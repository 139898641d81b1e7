// Runs a command in mount, network, process, IPC and host name namespaces of its own, as the first of everything that
// a cluster of a test is made of: nothing that it mounts, listens on or starts outlives it or is seen outside.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { hierarchies, removeDeadGroups, removeGroups } from './cgroups.ts';

const programs = ['unshare', 'nsenter', 'setpriv', 'mount', 'ip', 'openssl', 'bash'];
const capabilityOfNamespaces = 21n; // CAP_SYS_ADMIN

function hasCapability(number: bigint): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return (BigInt(`0x${mask ?? '0'}`) & (1n << number)) !== 0n;
}

/** Why nothing can be enclosed on this machine; null when it can. */
export function whyNoEnclosure(): string | null {
  if (process.platform !== 'linux') return `nodes are Linux machines; this is ${process.platform}`;
  if (process.getuid?.() !== 0 || !hasCapability(capabilityOfNamespaces)) {
    return 'nodes are namespaces of this machine: run as root, with CAP_SYS_ADMIN';
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const lacking = programs.filter((name) => !folders.some((each) => existsSync(join(each, name))));
  if (lacking.length > 0) return `programs that are not installed here: ${lacking.join(', ')}`;
  return null;
}

/** Why no cluster can run on this machine; null when one can. */
export function whyNoCluster(): string | null {
  const why = whyNoEnclosure();
  if (why !== null) return why;
  const mounted = hierarchies().flatMap(({ name }) => name.split(','));
  const missing = ['cpu', 'memory', 'devices', 'pids'].filter((name) => !mounted.includes(name));
  if (missing.length > 0) {
    return `nodes need control groups of version 1 with ${missing.join(', ')}; this machine has not mounted them`;
  }
  return null;
}

/** The one process that another one has started. */
export function onlyChild(pid: number): number | null {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? null : Number(children.split(' ')[0]);
  } catch {
    return null;
  }
}

/** Variable that names the run, by the pid under which its control groups lie. */
export const runVariable = 'WHOLEGROUP_CLUSTER_RUN';

/** The run that this process is enclosed in. Throws outside: a cluster would mark the machine. */
export function enclosingRun(): number {
  const run = Number(process.env[runVariable]);
  if (Number.isInteger(run) && run > 0) return run;
  throw new Error('a cluster needs an enclosure: use npm run test:cluster or npm run cluster:up');
}

/** How long the command has to end by itself after a signal. */
const graceMs = 5000;

/** Runs a command enclosed; its exit status. Signals to this process reach the command. */
export async function runEnclosed(
  command: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  removeDeadGroups();
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--net', '--uts', '--ipc', '--pid'],
      ...['--fork', '--kill-child', '--propagation', 'private', '--'],
      ...['bash', join(import.meta.dirname, 'enter.sh'), ...command],
    ],
    {
      env: { ...env, [runVariable]: String(process.pid) },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const pass = (signal: NodeJS.Signals): void => {
    // unshare itself ignores them.
    const inside = onlyChild(child.pid ?? 0);
    if (inside === null) return;
    process.kill(inside, signal);
    // Whoever does not go is taken away: with the first process goes everything.
    setTimeout(() => child.kill('SIGKILL'), graceMs).unref();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, pass);
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 128));
  });
  for (const signal of signals) process.off(signal, pass);
  await removeGroups(process.pid);
  return status;
}
