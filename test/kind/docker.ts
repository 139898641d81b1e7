// docker on a machine of its own: a Debian userland in the run's enclosure with a docker engine built from its Go
// modules. The machine's own docker, if it has one, is neither used nor touched.
import { join } from 'node:path';
import { built, type Tell } from '../cluster/build.ts';
import { cacheFolder } from '../cluster/cache.ts';
import { debianPackage } from '../cluster/debian.ts';
import { nodePrograms } from '../cluster/harness/cluster.ts';
import { Host } from '../cluster/harness/host.ts';
import type { NodePrograms } from '../cluster/harness/node.ts';
import type { ProgramName } from '../cluster/programs.ts';
import { Unavailable } from '../kernel/rig/apt.ts';
import type { Run } from '../support/run.ts';
import { debianRoot } from './debian-root.ts';

/** Folders of everything that a kind cluster is made with. */
export interface KindParts {
  readonly programs: NodePrograms;
  readonly kind: string;
  readonly dockerd: string;
  /** Folder of the docker command. */
  readonly client: string;
  /** The Debian userland. */
  readonly root: string;
}

async function folderOf(name: ProgramName, tell: Tell): Promise<string> {
  const result = await built(name, tell);
  if (result.kind === 'missing') throw new Unavailable(result.why);
  return result.folder;
}

/** Builds or finds all of them; throws Unavailable where one cannot be had. */
export async function kindParts(tell: Tell): Promise<KindParts> {
  return {
    programs: await nodePrograms(tell),
    kind: await folderOf('kind', tell),
    dockerd: await folderOf('dockerd', tell),
    client: join(await debianPackage('docker.io', tell), 'usr', 'bin'),
    root: await debianRoot(tell),
  };
}

/** The machine with docker on it. */
export function dockerHost(parts: KindParts, logs: string): Host {
  const { containerd, runc } = parts.programs;
  const programs = [parts.kind, parts.dockerd, parts.client, containerd, runc];
  const images = join(cacheFolder(process.env), 'images');
  return new Host({
    ...{ name: 'docker', index: 1, root: parts.root, logs },
    readable: [...programs, images],
    programs,
  });
}

/** Starts docker; returns when it answers. */
export async function startDocker(host: Host): Promise<void> {
  const flags = ['--data-root=/var/lib/docker', `--dns=${host.address}`];
  // The client is Debian's, and older than what the engine speaks by itself.
  const command = ['env', 'DOCKER_MIN_API_VERSION=1.24', 'dockerd', ...flags];
  host.start({ name: 'dockerd', command });
  const answers = async (): Promise<boolean> =>
    (await host.run(['docker', 'version'])).status === 0;
  await host.until('dockerd', answers);
}

/** What a command of the machine printed; throws what it said when it failed. */
export async function said(
  host: Host,
  command: readonly string[],
  input?: string,
): Promise<string> {
  const options = input === undefined ? {} : { input };
  const { status, stdout, stderr }: Run = await host.run(command, { ...options, limitMs: 600_000 });
  if (status === 0) return stdout;
  throw new Error(`${command.join(' ')} ended with ${status}: ${stderr}${stdout}`);
}
