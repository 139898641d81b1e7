// Building blocks of the file surface, path resolution, and the place where rooms hang their folders in.
//
// To add files:
//   surface.put('/proc/swaps', textFile(() => …))         one node at a fixed path
//   surface.merge('/proc', listing(names, child))         a folder whose entries join those already there
//   surface.childEntries('net', (child) => dir({…}))      more entries in the folder of every child device
//                                                         of that subsystem (`block`, `drm`, `sound`, …)
//   surface.deviceEntries((device) => dir({…}))           more entries in the folder of every PCI function
// Providers run on every look: they keep nothing, and read the Machine. Names they give twice: first wins.
import type { ChildDevice } from './objects/child-device.ts';
import type { PciDevice } from './objects/pci-device.ts';
import type { Attempt, Task, VDevice, VDir, VFile, VLink, VNode } from './vfs.ts';

/** What a path led to: a node, or the errno of the walk. */
export type Resolved =
  | { readonly ok: true; readonly node: VNode }
  | { readonly ok: false; readonly errno: 'ENOENT' | 'ENOTDIR' | 'ELOOP' };

/** An entry made anew at every look, or null while it is absent. */
export type Entry = VNode | (() => VNode | null);

/** A folder with fixed names, some of which may be absent at times. */
export function dir(entries: Readonly<Record<string, Entry>>): VDir {
  const child = (name: string): VNode | null => {
    if (!Object.hasOwn(entries, name)) return null;
    const entry = entries[name] as Entry;
    return typeof entry === 'function' ? entry() : entry;
  };
  return {
    kind: 'dir',
    list: () => Object.keys(entries).filter((name) => child(name) !== null),
    child,
  };
}

/** A folder whose names and entries come from functions. */
export function listing(
  list: () => readonly string[],
  child: (name: string) => VNode | null,
): VDir {
  return { kind: 'dir', list, child };
}

/** A read-only file; `text` is the whole content, newline included. */
export function textFile(text: (task: Task) => string, mode = 0o444): VFile {
  return { kind: 'file', mode, read: (task) => ({ kind: 'value', value: text(task) }) };
}

/** A file that can be written, and read when `read` is given. */
export function writableFile(
  mode: number,
  write: (data: string, task: Task) => Attempt<number>,
  read?: (task: Task) => Attempt<string>,
): VFile {
  return read === undefined ? { kind: 'file', mode, write } : { kind: 'file', mode, write, read };
}

/** A device node. */
export function deviceNode(mode: number, opens: string): VDevice {
  return { kind: 'device', mode, opens };
}

/** The relative text from the folder `from` to `path`, as kernfs computes it. */
export function relativePath(from: string, path: string): string {
  const base = from.split('/');
  const goal = path.split('/');
  let shared = 0;
  while (shared < base.length && shared < goal.length - 1 && base[shared] === goal[shared])
    shared++;
  return '../'.repeat(base.length - shared) + goal.slice(shared).join('/');
}

/** A link in the folder `from` (absolute path) to `path`, whose node `to` gives. */
export function linkTo(from: string, path: string, to: () => VNode | null): VLink {
  return {
    kind: 'link',
    path,
    to,
    get target() {
      return relativePath(from, path);
    },
  };
}

/** The union of folders; a name that several have comes from the first. */
export function union(folders: () => readonly VDir[]): VDir {
  return {
    kind: 'dir',
    list: () => [...new Set(folders().flatMap((folder) => folder.list()))],
    child: (name) => {
      for (const folder of folders()) {
        const found = folder.child(name);
        if (found !== null) return found;
      }
      return null;
    },
  };
}

/** A folder that others hang nodes and whole folders into. */
class MountFolder implements VDir {
  readonly kind = 'dir';
  readonly fixed = new Map<string, VNode>();
  readonly merged: VDir[] = [];

  list(): readonly string[] {
    const names = [...this.fixed.keys()];
    if (this.merged.length === 0) return names;
    return [...new Set([...names, ...this.merged.flatMap((folder) => folder.list())])];
  }

  child(name: string): VNode | null {
    const fixed = this.fixed.get(name);
    if (fixed !== undefined) return fixed;
    for (const folder of this.merged) {
      const found = folder.child(name);
      if (found !== null) return found;
    }
    return null;
  }
}

/** The whole tree of files, and the registry of those who add to it. */
export class Surface {
  readonly root: VDir = new MountFolder();
  readonly #childEntries = new Map<string, ((child: ChildDevice) => VDir | null)[]>();
  readonly #deviceEntries: ((device: PciDevice) => VDir | null)[] = [];

  /** Puts one node at an absolute path; folders above are made. The last one to put wins. */
  put(path: string, node: VNode): void {
    const at = path.lastIndexOf('/');
    this.#folder(path.slice(0, at)).fixed.set(path.slice(at + 1), node);
  }

  /** Adds a folder's entries to those at an absolute path; folders above are made. */
  merge(path: string, folder: VDir): void {
    this.#folder(path).merged.push(folder);
  }

  /** More entries for the folders of all child devices of a subsystem; null: none for this one. */
  childEntries(subsystem: string, entries: (child: ChildDevice) => VDir | null): void {
    const list = this.#childEntries.get(subsystem);
    if (list === undefined) this.#childEntries.set(subsystem, [entries]);
    else list.push(entries);
  }

  /** More entries for the folders of all PCI functions; null: none for this one. */
  deviceEntries(entries: (device: PciDevice) => VDir | null): void {
    this.#deviceEntries.push(entries);
  }

  /** What was registered for this child device, first registered first. */
  entriesOfChild(child: ChildDevice): VDir[] {
    const given = this.#childEntries.get(child.subsystem) ?? [];
    return given.map((entries) => entries(child)).filter((folder) => folder !== null);
  }

  /** What was registered for PCI functions, first registered first. */
  entriesOfDevice(device: PciDevice): VDir[] {
    return this.#deviceEntries
      .map((entries) => entries(device))
      .filter((folder) => folder !== null);
  }

  #folder(path: string): MountFolder {
    let folder = this.root as MountFolder;
    for (const name of path.split('/')) {
      if (name === '') continue;
      let next = folder.fixed.get(name);
      if (!(next instanceof MountFolder)) {
        const made = new MountFolder();
        if (next?.kind === 'dir') made.merged.push(next);
        folder.fixed.set(name, made);
        next = made;
      }
      folder = next as MountFolder;
    }
    return folder;
  }
}

const linksMax = 40;

/** Walks an absolute path; `follow`: whether a link at the end is followed (stat and open do, readlink does not). */
export function resolve(root: VDir, path: string, follow = true): Resolved {
  return walk(root, path, follow, 0);
}

/** The names from `since` to before `until` below `base`, as an absolute path. */
function placeOf(base: string, names: readonly string[], since: number, until: number): string {
  let place = base;
  for (let i = since; i < until; i++) if (names[i] !== '') place += `/${names[i]}`;
  return place;
}

/** Where a link in the folder `place` leads, with what comes after it. */
function detour(link: VLink, place: string, rest: string): string {
  return `${link.target.startsWith('/') ? link.target : `${place}/${link.target}`}/${rest}`;
}

function walk(root: VDir, path: string, follow: boolean, linksSoFar: number): Resolved {
  const names = path.split('/');
  let links = linksSoFar;
  let node: VNode = root;
  // `node` lies at `base` plus the names from `since` on; made into text only when a link needs it.
  let base = '';
  let since = 0;
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (name === '' || name === '.') continue;
    if (node.kind !== 'dir') return { ok: false, errno: 'ENOTDIR' };
    if (name === '..') {
      const above = placeOf(base, names, since, i).replace(/\/[^/]*$/, '');
      return walk(root, `${above}/${names.slice(i + 1).join('/')}`, follow, links);
    }
    const child: VNode | null = node.child(name);
    if (child === null) return { ok: false, errno: 'ENOENT' };
    node = child;
    if (child.kind !== 'link' || (!follow && i === names.length - 1)) continue;
    links += 1;
    if (links > linksMax) return { ok: false, errno: 'ELOOP' };
    if (child.to === undefined || child.path === undefined) {
      const rest = names.slice(i + 1).join('/');
      return walk(root, detour(child, placeOf(base, names, since, i), rest), follow, links);
    }
    const goal: VNode | null = child.to();
    if (goal === null) return { ok: false, errno: 'ENOENT' };
    node = goal;
    base = child.path;
    since = i + 1;
  }
  return { ok: true, node };
}
