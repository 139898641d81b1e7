// Everything of /proc, /sys and /run that tells how the host uses its devices: hung into the machine's
// surface once, answered anew at every look. What happens to it later is in host-operations.ts.
import type { Machine } from '../machine.ts';
import { dir, listing, textFile } from '../tree.ts';
import type { VDir, VFile } from '../vfs.ts';
import { blockEntries } from './block-entries.ts';
import { addClassEntries } from './class-entries.ts';
import { fileSystemMarks } from './fs-marks.ts';
import { NamespaceNumbers } from './namespaces.ts';
import { netEntries } from './net-entries.ts';
import { netsIn } from './net-names.ts';
import { asound, nvidiaGpus, zfsPools } from './proc-devices.ts';
import { fibTrieText } from './proc-fib-trie.ts';
import {
  consolesText,
  framebuffersText,
  interruptsText,
  kallsymsText,
  modulesText,
  versionText,
} from './proc-kernel.ts';
import { MountTables } from './proc-mounts.ts';
import { bondingText, devText, ifInet6Text, ipv6RouteText, routeText } from './proc-net.ts';
import { processFolders, type ProcessFiles } from './proc-process.ts';
import { mdstatText, partitionsText, swapsText } from './proc-storage.ts';
import { lioTargets, nvmetSubsystems } from './storage-targets.ts';
import { udevDatabase } from './udev-database.ts';

/** /proc/PID/net of one namespace. */
function netFolder(machine: Machine, namespace: string): VDir {
  const text = (make: (machine: Machine, namespace: string) => string): VFile =>
    textFile(() => make(machine, namespace));
  const bonds = (): readonly string[] =>
    machine.spec.virtualNets
      .filter(
        (net) =>
          net.type === 'bond' &&
          netsIn(machine, namespace).some((now) => now.net.name === net.name),
      )
      .map((net) => net.name);
  const bonding = listing(bonds, (name) =>
    bonds().includes(name) ? textFile(() => bondingText(machine, name)) : null,
  );
  return dir({
    dev: text(devText),
    fib_trie: text(fibTrieText),
    if_inet6: text(ifInet6Text),
    ipv6_route: text(ipv6RouteText),
    route: text(routeText),
    bonding: () => (bonds().length === 0 ? null : bonding),
  });
}

function putProc(machine: Machine): void {
  const { surface } = machine;
  const put = (name: string, make: (machine: Machine) => string): void =>
    surface.put(
      `/proc/${name}`,
      textFile(() => make(machine)),
    );
  put('cmdline', () => `${machine.spec.cmdline}\n`);
  put('version', versionText);
  put('kallsyms', kallsymsText);
  put('modules', modulesText);
  put('interrupts', interruptsText);
  put('consoles', consolesText);
  put('fb', framebuffersText);
  put('swaps', swapsText);
  put('partitions', partitionsText);
  put('mdstat', mdstatText);
  put('sys/kernel/osrelease', () => `${machine.release}\n`);
  put('sys/kernel/random/boot_id', () => `${machine.bootId}\n`);
  put('sys/kernel/tainted', () => `${machine.taint}\n`);
  put('sys/kernel/hostname', () => `${machine.spec.name}\n`);
  surface.put('/proc/asound', asound(machine));
  if (machine.spec.zfsPools.length > 0) surface.put('/proc/spl/kstat/zfs', zfsPools(machine));
  if (machine.spec.drivers.some(({ name }) => name === 'nvidia')) {
    surface.put('/proc/driver/nvidia/gpus', nvidiaGpus(machine));
  }
  const files: ProcessFiles = {
    machine,
    numbers: new NamespaceNumbers(),
    mounts: new MountTables(machine),
    net: (namespace) => netFolder(machine, namespace),
  };
  surface.merge('/proc', processFolders(files));
  // Whoever asks is a process of the host: every namespace is the first one's.
  surface.put('/proc/self', { kind: 'link', target: '1' });
  surface.put('/proc/thread-self', { kind: 'link', target: '1' });
  surface.put('/proc/mounts', { kind: 'link', target: 'self/mounts' });
  surface.put('/proc/net', { kind: 'link', target: 'self/net' });
}

/** Hangs the surroundings into the machine's surface. Once for each machine. */
export function addSurroundings(machine: Machine): void {
  const { surface } = machine;
  putProc(machine);
  addClassEntries(machine);
  surface.childEntries('net', netEntries(machine));
  surface.childEntries('block', blockEntries(machine));
  for (const [type, folder] of Object.entries(fileSystemMarks(machine))) {
    surface.put(`/sys/fs/${type}`, folder);
  }
  surface.put('/run/udev/data', udevDatabase(machine));
  const { storageTargets } = machine.spec;
  if (storageTargets.some(({ kind }) => kind === 'lio')) {
    surface.put('/sys/kernel/config/target/core', lioTargets(machine));
  }
  if (storageTargets.some(({ kind }) => kind === 'nvmet')) {
    surface.put('/sys/kernel/config/nvmet/subsystems', nvmetSubsystems(machine));
  }
}
