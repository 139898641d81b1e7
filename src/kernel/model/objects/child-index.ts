// All child devices that exist, by subsystem and by node name: what /sys/class, /sys/bus and /dev list.
import type { ChildDevice } from './child-device.ts';

/** The children that are registered now. */
export class ChildIndex {
  readonly #bySubsystem = new Map<string, Map<string, ChildDevice>>();
  readonly #byNode = new Map<string, ChildDevice>();
  /** Folders of /dev: what each holds, in order of creation, and how many nodes are in or below it. */
  readonly #byFolder = new Map<string, Map<string, number>>();
  /** Children without a PCI function above (`/devices/virtual`, ACPI nodes), by their parent's path. */
  readonly #byRoot = new Map<string, ChildDevice[]>();

  /** Registers. */
  add(child: ChildDevice): void {
    const names = this.#bySubsystem.get(child.subsystem);
    if (names === undefined) this.#bySubsystem.set(child.subsystem, new Map([[child.name, child]]));
    else names.set(child.name, child);
    if (child.devname !== null) {
      this.#byNode.set(child.devname, child);
      this.#count(child.devname, 1);
    }
    if (child.parent.kind !== 'root') return;
    const siblings = this.#byRoot.get(child.parent.devpath);
    if (siblings === undefined) this.#byRoot.set(child.parent.devpath, [child]);
    else siblings.push(child);
  }

  /** Unregisters. */
  remove(child: ChildDevice): void {
    const names = this.#bySubsystem.get(child.subsystem);
    if (names?.get(child.name) === child) names.delete(child.name);
    if (child.devname !== null && this.#byNode.get(child.devname) === child) {
      this.#byNode.delete(child.devname);
      this.#count(child.devname, -1);
    }
    if (child.parent.kind !== 'root') return;
    const siblings = this.#byRoot.get(child.parent.devpath) ?? [];
    const at = siblings.indexOf(child);
    if (at >= 0) siblings.splice(at, 1);
    if (siblings.length === 0) this.#byRoot.delete(child.parent.devpath);
  }

  /** Children of one subsystem, in order of creation. */
  of(subsystem: string): readonly ChildDevice[] {
    return [...(this.#bySubsystem.get(subsystem)?.values() ?? [])];
  }

  /** One child by subsystem and name. */
  get(subsystem: string, name: string): ChildDevice | undefined {
    return this.#bySubsystem.get(subsystem)?.get(name);
  }

  /** Subsystems that have had children. */
  subsystems(): IterableIterator<string> {
    return this.#bySubsystem.keys();
  }

  /** The child whose node is /dev/`name`. */
  node(name: string): ChildDevice | undefined {
    return this.#byNode.get(name);
  }

  /** Names in a folder of /dev (`` is /dev itself), oldest first. A folder lives as long as there are nodes in it. */
  namesIn(folder: string): readonly string[] {
    return [...(this.#byFolder.get(folder)?.keys() ?? [])];
  }

  /** One node more or less, and with it the folders above. */
  #count(devname: string, by: 1 | -1): void {
    const parts = devname.split('/');
    for (const [at, name] of parts.entries()) {
      const folder = parts.slice(0, at).join('/');
      const names = this.#byFolder.get(folder) ?? new Map<string, number>();
      this.#byFolder.set(folder, names);
      const count = (names.get(name) ?? 0) + by;
      if (count > 0) names.set(name, count);
      else names.delete(name);
    }
  }

  /** Folders without a PCI function above that have children, with them. */
  roots(): IterableIterator<[string, readonly ChildDevice[]]> {
    return this.#byRoot.entries();
  }
}
