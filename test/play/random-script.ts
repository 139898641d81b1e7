// Random kernel scripts for the transcripts' machine: what a host, an agent and a virtual machine may do to PCI
// functions, in any order and at the same time. Seeded. Each script cleans up behind itself and prints what it left,
// so that many can run one behind the other on one boot. Most of a script is about one or two functions, so that its
// steps meet: whoever unbinds meets who uses.
import type { Random } from '../../src/base/random.ts';

import {
  type Device,
  pluggedMs,
  releasedMs,
  deviceFiles,
  ownShare,
  takenShare,
  tidyWaitMs,
  waitMs,
  preparedShare,
  devices,
  drivers,
  fileOf,
  givenBack,
  settleMs,
  signals,
  natives,
  overrides,
  ports,
  sriov,
  virtualFunctions,
} from './random-targets.ts';

/** What a random script is to be. */
export interface RandomScript {
  readonly steps: number;
  /** Keeps its names apart from those of other scripts. */
  readonly prefix: string;
  /** The kernel has iommufd and device files. */
  readonly iommufd: boolean;
  /** Where cards are plugged in: below the PCIe-to-PCI bridge, beside another one, or into an empty root port. */
  readonly plugsInto: 'bridge' | 'port';
}

type Weighted = readonly [weight: number, step: () => void];

class ScriptWriter {
  readonly lines: string[] = [];
  readonly #random: Random;
  readonly #prefix: string;
  readonly #iommufd: boolean;
  readonly #plugsInto: RandomScript['plugsInto'];
  /** The functions that most of it is about. */
  readonly #own: readonly Device[];
  #count = 0;
  #children: string[] = [];
  #files: string[] = [];
  #plugged: string[] = [];
  #hasPlugged = false;

  constructor(random: Random, { prefix, iommufd, plugsInto }: Omit<RandomScript, 'steps'>) {
    this.#random = random;
    this.#prefix = prefix;
    this.#iommufd = iommufd;
    this.#plugsInto = plugsInto;
    const chosen = random.pick(devices);
    const others = devices.filter(({ group }) => group === chosen.group);
    this.#own = others.length > 1 ? others : [chosen, random.pick(devices)];
  }

  /** What most scripts begin with. */
  begin(): void {
    if (this.#random.chance(takenShare))
      for (const device of this.#own) this.#give(device, 'vfio-pci');
  }

  #name(kind: string): string {
    this.#count += 1;
    return `${kind}${this.#prefix}x${this.#count}`;
  }

  #device(): Device {
    return this.#random.pick(this.#random.chance(ownShare) ? this.#own : devices);
  }

  #address(): string {
    const random = this.#random;
    if (random.chance(0.08)) return random.pick(ports);
    if (random.chance(0.12)) return random.pick(virtualFunctions);
    return this.#device().address;
  }

  /** A write in a child of its own: it may block, and the script goes on. */
  #write(path: string, data: string): void {
    const name = this.#name('a');
    this.#children.push(name);
    this.lines.push(`wa ${name} ${path} ${data}`, `wait ${name} ${waitMs}`);
  }

  #read(path: string): void {
    const name = this.#name('r');
    this.#children.push(name);
    this.lines.push(`ra ${name} ${path}`, `wait ${name} 300`);
  }

  /** What an agent does to give a function to VFIO. */
  #take(): void {
    this.#give(this.#device(), this.#random.chance(0.9) ? 'vfio-pci' : 'pci-stub');
  }

  #give({ address, native }: Device, driver: string): void {
    this.#write(fileOf(address, 'driver_override'), driver);
    this.#write(`/sys/bus/pci/drivers/${native}/unbind`, address);
    this.#write('/sys/bus/pci/drivers_probe', address);
  }

  /** A function that somebody is about to use. */
  #toBeUsed(): Device {
    const device = this.#device();
    if (this.#random.chance(preparedShare)) this.#give(device, 'vfio-pci');
    return device;
  }

  /** What a virtual machine does. */
  #use(): void {
    const random = this.#random;
    const { address, group } = this.#toBeUsed();
    const [c, g, d] = [this.#name('c'), this.#name('g'), this.#name('d')];
    this.#files.push(d, g, c);
    this.lines.push(`open ${c} /dev/vfio/vfio`, `open ${g} /dev/vfio/${group}`, `status ${g}`);
    if (random.chance(0.15)) return;
    this.lines.push(`setcont ${g} ${c}`);
    if (random.chance(0.1)) return;
    this.lines.push(`setiommu ${c} ${random.pick([1, 3, 3, 8])}`, `getdev ${d} ${g} ${address}`);
    if (random.chance(0.1)) this.lines.push(`devreset ${d}`);
  }

  #open(kind: string, path: string): string {
    const name = this.#name(kind);
    this.#files.push(name);
    this.lines.push(`open ${name} ${path}`);
    return name;
  }

  /** A context of iommufd: one that is open, or another one. */
  #context(): string {
    const open = this.#files.filter((name) => name.startsWith('i'));
    if (open.length > 0 && this.#random.chance(0.5)) return this.#random.pick(open);
    return this.#open('i', '/dev/iommu');
  }

  /** What a virtual machine does with iommufd: by device files, or by a group file with iommufd for its container. */
  #useIommufd(): void {
    const random = this.#random;
    const context = this.#context();
    if (random.chance(0.2)) {
      const { address, group } = this.#toBeUsed();
      const g = this.#open('g', `/dev/vfio/${group}`);
      const d = this.#name('d');
      this.lines.push(`setcont ${g} ${context}`, `status ${g}`);
      if (random.chance(0.5)) this.lines.push(`setiommu ${context} ${random.pick([1, 3, 8])}`);
      this.#files.push(d);
      this.lines.push(`getdev ${d} ${g} ${address}`);
      return;
    }
    this.#toBeUsed();
    const d = this.#open('v', `/dev/vfio/devices/vfio${random.below(deviceFiles)}`);
    if (random.chance(0.15)) return;
    this.lines.push(`bindiommufd ${d} ${context}`);
    if (random.chance(0.1)) this.lines.push(`devreset ${d}`);
  }

  /** A second try with what is open. */
  #bindAgain(): void {
    const files = this.#files.filter((name) => /^[vdg]/.test(name));
    if (files.length === 0) return;
    this.lines.push(`bindiommufd ${this.#random.pick(files)} ${this.#context()}`);
  }

  #closeOne(): void {
    if (this.#files.length === 0) return;
    const name = this.#random.pick(this.#files);
    if (name.startsWith('g') && this.#random.chance(0.3)) this.lines.push(`unset ${name}`);
    else {
      this.lines.push(`close ${name}`);
      this.#files = this.#files.filter((each) => each !== name);
    }
  }

  #plug(): void {
    const plugged = this.#plugged.pop();
    if (plugged !== undefined) {
      this.lines.push(`host device_del ${plugged}`);
      return;
    }
    const id = this.#name('h');
    this.#plugged.push(id);
    this.#hasPlugged = true;
    const slot = 2 + this.#random.below(6);
    const place = this.#plugsInto === 'bridge' ? `bus=pb0,addr=${slot}.0` : 'bus=rp1,addr=0.0';
    this.lines.push(`host device_add e1000,id=${id},${place}`);
  }

  #signal(): void {
    const { length } = this.#children;
    if (length > 0) {
      this.lines.push(`sig ${this.#random.pick(this.#children)} ${this.#random.pick(signals)}`);
    }
  }

  #look(): void {
    const address = this.#address();
    const random = this.#random;
    this.lines.push(`rl ${fileOf(address, 'driver')}`);
    if (random.chance(0.4))
      this.#read(fileOf(address, random.pick(['driver_override', 'uevent', 'enable'])));
    if (random.chance(0.3)) this.lines.push(`ls ${fileOf(address, 'vfio-dev')}`);
    if (random.chance(0.3)) this.lines.push('ls /dev/vfio');
    if (this.#iommufd) this.lines.push('ls /dev/vfio/devices');
    if (random.chance(0.2)) this.#read(sriov);
  }

  /** Never the driver of other hardware: it would wait for a device that is none, each its own time. */
  #override(address: string, native: string, wanted: string): void {
    const foreign = natives.has(wanted) && wanted !== native;
    this.#write(fileOf(address, 'driver_override'), foreign ? native : wanted);
  }

  #iommufdSteps(): readonly Weighted[] {
    return [
      [14, () => this.#useIommufd()],
      [3, () => this.#bindAgain()],
      [8, () => this.#take()],
    ];
  }

  /** One step: a command, or a few that belong together. */
  step(): void {
    const random = this.#random;
    const address = this.#address();
    const native = devices.find((each) => each.address === address)?.native ?? 'nvme';
    const steps: readonly Weighted[] = [
      [10, () => this.#take()],
      [9, () => this.#use()],
      [6, () => this.#closeOne()],
      [8, () => this.#look()],
      [6, () => this.#override(address, native, random.pick(overrides))],
      [5, () => this.#write('/sys/bus/pci/drivers_probe', address)],
      [5, () => this.#write('/sys/bus/pci/drivers/vfio-pci/unbind', address)],
      [4, () => this.#write(`/sys/bus/pci/drivers/${native}/unbind`, address)],
      [5, () => this.#write(`/sys/bus/pci/drivers/${native}/bind`, address)],
      [3, () => this.#write(`/sys/bus/pci/drivers/${random.pick(drivers)}/bind`, address)],
      [2, () => this.#write(`/sys/bus/pci/drivers/${random.pick(drivers)}/unbind`, address)],
      [3, () => this.#write(sriov, String(random.below(4)))],
      [
        1,
        () =>
          this.#write(fileOf('0000:04:00.0', 'sriov_drivers_autoprobe'), random.pick(['0', '1'])),
      ],
      [2, () => this.#signal()],
      [1, () => this.#plug()],
      [1, () => this.#write(fileOf(random.pick(devices.slice(0, 5)).address, 'remove'), '1')],
      [2, () => this.#write('/sys/bus/pci/rescan', '1')],
      [1, () => this.#write(fileOf(address, 'reset'), '1')],
      [
        1,
        () =>
          this.#write(
            `/sys/kernel/iommu_groups/${random.below(9)}/type`,
            random.pick(['DMA', 'DMA-FQ', 'identity']),
          ),
      ],
      ...(this.#iommufd ? this.#iommufdSteps() : []),
    ];
    let left = random.below(steps.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, step] of steps) {
      if (left < weight) return step();
      left -= weight;
    }
  }

  /** Lets go of everything, gives every function back to its driver, and prints what is so then. */
  tidy(): void {
    // Whoever waited for a file goes on by itself: two who did so at the same moment would race for numbers.
    for (const name of this.#files) this.lines.push(`close ${name}`, `sleep ${releasedMs}`);
    for (const name of this.#children) this.lines.push(`wait ${name} ${tidyWaitMs}`);
    for (const id of this.#plugged) this.lines.push(`host device_del ${id}`);
    this.lines.push(`sleep ${this.#hasPlugged ? pluggedMs : settleMs}`, 'ue');
    this.lines.push(...givenBack());
    for (const { address } of devices) this.lines.push(`rl ${fileOf(address, 'driver')}`);
    this.lines.push('ls /sys/bus/pci/devices', 'ls /sys/kernel/iommu_groups', 'ls /dev/vfio');
    if (this.#iommufd) this.lines.push('ls /dev/vfio/devices');
  }
}

/** One script of so many steps, with its cleaning up. */
export function randomScript(random: Random, script: RandomScript): readonly string[] {
  const writer = new ScriptWriter(random, script);
  writer.lines.push(`sh echo "--- script ${script.prefix}"`, 'ueq');
  writer.begin();
  for (let n = 0; n < script.steps; n++) writer.step();
  writer.tidy();
  return writer.lines;
}
