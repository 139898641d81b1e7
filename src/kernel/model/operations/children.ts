// Child devices come and go: registered below their parent, indexed, and announced.
import type { Machine } from '../machine.ts';
import { ChildDevice, type ChildForm } from '../objects/child-device.ts';
import { childEvent } from './events.ts';

/** Registers a child; `quiet`: without the event (for those who announce it later, or at boot). */
export function addChild(machine: Machine, form: ChildForm, quiet = false): ChildDevice {
  const child = new ChildDevice(form);
  if (form.parent.kind !== 'root') form.parent.children.push(child);
  machine.children.add(child);
  if (!quiet) childEvent(machine, child, 'add');
  if (!quiet && child.driver !== null) childEvent(machine, child, 'bind');
  return child;
}

/** Unregisters a child, what hangs below it first, in order of creation. */
export function removeChild(machine: Machine, child: ChildDevice): void {
  for (const below of [...child.children]) removeChild(machine, below);
  if (child.parent.kind !== 'root') {
    const at = child.parent.children.indexOf(child);
    if (at >= 0) child.parent.children.splice(at, 1);
  }
  machine.children.remove(child);
  if (child.driver !== null) childEvent(machine, child, 'unbind');
  childEvent(machine, child, 'remove');
}

/** The folder of devices without hardware. */
export function virtualParent(): { readonly kind: 'root'; readonly devpath: string } {
  return { kind: 'root', devpath: '/devices/virtual' };
}
