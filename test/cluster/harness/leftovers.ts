// What a run could leave behind on the machine, as lines of text: taken before and after, the two must be the same.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { groupFolders } from './cgroups.ts';
import { runVariable } from './enclosure.ts';

const sysctls = [
  ...['vm/overcommit_memory', 'vm/panic_on_oom', 'kernel/panic', 'kernel/panic_on_oops'],
  ...['kernel/keys/root_maxkeys', 'kernel/keys/root_maxbytes', 'kernel/core_pattern'],
  ...['kernel/pid_max', 'net/ipv4/ip_forward'],
];
/** What kubelets, runtimes and agents make on a node. */
const folders = [
  ...['/var/lib/kubelet', '/var/lib/containerd', '/var/lib/wholegroup', '/var/lib/cni'],
  ...['/var/log/pods', '/var/log/containers', '/run/containerd', '/run/wholegroup', '/run/cdi'],
  ...['/etc/cni', '/etc/cdi', '/etc/kubernetes', '/etc/containerd.toml', '/etc/kubelet.json'],
];

/** Processes that were started in a run. */
function processesOf(run: number): readonly string[] {
  const mark = `\0${runVariable}=${run}\0`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const environment = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}\0`;
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
        return environment.includes(mark) ? [`process ${pid} ${command.trim()}`] : [];
      } catch {
        return [];
      }
    });
}

function valueOf(sysctl: string): string {
  const path = `/proc/sys/${sysctl}`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : 'absent';
}

/** All marks that can be seen from here; `run` is the pid of the process that encloses, or will. */
export function marksOfRun(run: number): ReadonlySet<string> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return new Set([
    // Without the numbers in front: other mounts of the machine may come and go.
    ...mounts.map((line) => `mount ${line.split(' ').slice(3, 5).join(' on ')}`),
    ...readdirSync('/sys/class/net').map((name) => `network device ${name}`),
    ...groupFolders(`wholegroup-${run}`).map((folder) => `control group ${folder}`),
    ...sysctls.map((name) => `sysctl ${name} = ${valueOf(name)}`),
    ...folders.filter((path) => existsSync(path)).map((path) => `file ${path}`),
    ...processesOf(run),
  ]);
}
