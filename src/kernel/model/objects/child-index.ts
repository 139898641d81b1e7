// All child devices that exist, by subsystem and by node name: what /sys/class, /sys/bus and /dev list.
import type { ChildDevice } from './child-device.ts';

/** The children that are registered now. */
export class ChildIndex {
  readonly #bySubsystem = new Map<string, Map<string, ChildDevice>>();
  readonly #byNode = new Map<string, ChildDevice>();
  /** Children without a PCI function above (`/devices/virtual`, ACPI nodes), by their parent's path. */
  readonly #byRoot = new Map<string, ChildDevice[]>();

  /** Registers. */
  add(child: ChildDevice): void {
    const names = this.#bySubsystem.get(child.subsystem);
    if (names === undefined) this.#bySubsystem.set(child.subsystem, new Map([[child.name, child]]));
    else names.set(child.name, child);
    if (child.devname !== null) this.#byNode.set(child.devname, child);
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

  /** Names below /dev. */
  nodes(): IterableIterator<string> {
    return this.#byNode.keys();
  }

  /** Folders without a PCI function above that have children, with them. */
  roots(): IterableIterator<[string, readonly ChildDevice[]]> {
    return this.#byRoot.entries();
  }
}
