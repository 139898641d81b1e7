// Folders of child devices: what every device of a class has, what the model knows of it, and what the
// surroundings add.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import { value } from '../operations/answers.ts';
import { childEvent, childKeys } from '../operations/events.ts';
import {
  dir,
  linkTo,
  listing,
  resolve,
  textFile,
  union,
  writableFile,
  type Entry,
} from '../tree.ts';
import type { VDir, VNode } from '../vfs.ts';

/** Finds a node by its absolute path, for links. */
export function nodeAt(machine: Machine, path: string): VNode | null {
  const found = resolve(machine.surface.root, path);
  return found.ok ? found.node : null;
}

/** True unless it is an interface of another network namespace: sysfs shows those only over there. */
export function isVisible(child: ChildDevice): boolean {
  return child.facts.kind !== 'net' || child.facts.net.namespace === null;
}

/** Where the subsystem of a child lists its members. */
function subsystemPath(child: ChildDevice): string {
  return child.bus ? `/sys/bus/${child.subsystem}` : `/sys/class/${child.subsystem}`;
}

/** The entries that the device core makes. */
function coreEntries(machine: Machine, child: ChildDevice): Record<string, Entry> {
  const { path } = child;
  const entries: Record<string, Entry> = {
    uevent: writableFile(
      0o644,
      (data) => {
        childEvent(machine, child, data.trim().split(' ')[0] ?? 'change');
        return value(data.length);
      },
      () =>
        value(
          childKeys(child)
            .map(([key, text]) => `${key}=${text}\n`)
            .join(''),
        ),
    ),
    subsystem: linkTo(path, subsystemPath(child), () => nodeAt(machine, subsystemPath(child))),
    power: powerFolder,
  };
  if (child.devno !== null) entries.dev = textFile(() => `${child.devno}\n`);
  if (!child.bus && child.parent.kind !== 'root') {
    const above = child.parent.path;
    entries.device = linkTo(path, above, () => nodeAt(machine, above));
  }
  if (child.driver !== null) {
    const driver = `/sys/bus/${child.subsystem}/drivers/${child.driver}`;
    entries.driver = linkTo(path, driver, () => nodeAt(machine, driver));
  }
  for (const [name, text] of Object.entries(child.attributes))
    entries[name] = textFile(() => `${text}\n`);
  return entries;
}

const powerFolder = dir({
  control: textFile(() => 'auto\n', 0o644),
  runtime_status: textFile(() => 'unsupported\n'),
});

/** Children below a device, some in folders named after their class. */
export function childrenOf(
  machine: Machine,
  parent: { readonly path: string; readonly children: readonly ChildDevice[] },
): VDir {
  const glued = (name: string): readonly ChildDevice[] =>
    parent.children.filter((child) => child.folderBetween === name);
  return listing(
    () => [...new Set(parent.children.map((child) => child.folderBetween ?? child.name))],
    (name) => {
      const direct = parent.children.find(
        (child) => child.folderBetween === null && child.name === name,
      );
      if (direct !== undefined) return childFolder(machine, direct);
      const inside = glued(name);
      if (inside.length === 0) return null;
      return listing(
        () =>
          glued(name)
            .filter(isVisible)
            .map((child) => child.name),
        (wanted) => {
          const child = glued(name).find((candidate) => candidate.name === wanted);
          return child === undefined || !isVisible(child) ? null : childFolder(machine, child);
        },
      );
    },
  );
}

/** The folder of a child device. */
export function childFolder(machine: Machine, child: ChildDevice): VDir {
  return union(() => [
    ...machine.surface.entriesOfChild(child),
    dir(coreEntries(machine, child)),
    childrenOf(machine, child),
  ]);
}
