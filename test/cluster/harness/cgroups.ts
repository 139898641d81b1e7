// Control groups of the nodes of a test: made below one folder per run and hierarchy, put away when the run is over,
// and those of runs that were killed by the next one. Version 1 only: that is what a node here mounts.
import { existsSync, globSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A mounted hierarchy of version 1. */
export interface Hierarchy {
  /** Name of its folder below /sys/fs/cgroup: of its controller, or of its own. */
  readonly name: string;
  /** What mount(8) wants as options. */
  readonly options: string;
}

const mountFolder = '/sys/fs/cgroup';
const runFolder = (pid: number): string => `wholegroup-${pid}`;

/** All hierarchies that are mounted on this machine. */
export function hierarchies(): readonly Hierarchy[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const found = lines.flatMap((line) => {
    const match = / \/sys\/fs\/cgroup\/(\S+) .* - cgroup \S+ (\S+)$/.exec(line);
    if (match === null) return [];
    const [, name = '', all = ''] = match;
    const options = all.split(',').filter((each) => each !== 'rw' && each !== 'none');
    return [{ name, options: options.join(',').replace(/^name=/, 'none,name=') }];
  });
  return [...new Map(found.map((each) => [each.name, each])).values()];
}

/** Makes one folder in every hierarchy, ready to take processes; the paths of their `cgroup.procs`. */
function makeEverywhere(below: string): readonly string[] {
  return hierarchies().map(({ name }) => {
    const folder = join(mountFolder, name, below);
    mkdirSync(folder, { recursive: true });
    if (name.split(',').includes('cpuset')) {
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        writeFileSync(join(folder, file), readFileSync(join(folder, '..', file)));
    }
    return join(folder, 'cgroup.procs');
  });
}

/** The control groups of a node of the run with this pid; the files that take processes into them. */
export function makeNodeGroups(runPid: number, node: string): readonly string[] {
  makeEverywhere(runFolder(runPid));
  return makeEverywhere(join(runFolder(runPid), node));
}

/** Folders of control groups that belong to runs, deepest first. */
export function groupFolders(runs: string): readonly string[] {
  const folders = globSync(`${mountFolder}/*/${runs}/{,**/}`);
  return folders.toSorted((a, b) => b.length - a.length);
}

function removeEmpty(folders: readonly string[]): void {
  for (const folder of folders) {
    try {
      rmdirSync(folder);
    } catch {
      // Something is in it still, or it is gone: whoever calls looks at what is left.
    }
  }
}

/** Removes the groups of a run; its last processes may take a moment to go. What stays after it is for the next run. */
export async function removeGroups(runPid: number): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    removeEmpty(groupFolders(runFolder(runPid)));
    if (groupFolders(runFolder(runPid)).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Removes the groups of runs whose process is no more. */
export function removeDeadGroups(): void {
  for (const folder of globSync(`${mountFolder}/*/wholegroup-*`)) {
    const [, pid = ''] = /wholegroup-(\d+)$/.exec(folder) ?? [];
    if (pid !== '' && !existsSync(`/proc/${pid}`))
      removeEmpty(groupFolders(runFolder(Number(pid))));
  }
}
