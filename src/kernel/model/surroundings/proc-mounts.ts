// /proc/PID/mountinfo and mounts (fs/proc_namespace.c): one text for each mount namespace.
import type { Machine } from '../machine.ts';
import type { MountSpec } from '../spec.ts';
import { sourcePath } from './block-names.ts';
import { escaped } from './files.ts';

/** File systems that show a block device but mount with an anonymous device number. */
const firstMountId = 21;

interface Numbered {
  readonly mount: MountSpec;
  readonly id: number;
  readonly parentId: number;
}

/** Parents: the mount whose target is the longest prefix and that came before. */
function numbered(mounts: readonly MountSpec[], firstId: number): readonly Numbered[] {
  const done: Numbered[] = [];
  for (const mount of mounts) {
    let parent: Numbered | undefined;
    for (const other of done) {
      const above = other.mount.target === '/' ? '/' : `${other.mount.target}/`;
      const inside = mount.target === other.mount.target || mount.target.startsWith(above);
      if (inside && (parent?.mount.target.length ?? 0) <= other.mount.target.length) parent = other;
    }
    const id = firstId + done.length;
    done.push({ mount, id, parentId: parent?.id ?? 1 });
  }
  return done;
}

/** A root for namespaces whose own is not told: the initramfs of the host, a container's overlay. */
function withRoot(namespace: string, mounts: readonly MountSpec[]): readonly MountSpec[] {
  if (mounts.some((mount) => mount.target === '/')) return mounts;
  const host = namespace === 'host';
  const root: MountSpec = {
    namespace,
    source: host ? 'rootfs' : 'overlay',
    devno: host ? '0:2' : '0:52',
    target: '/',
    fsType: host ? 'rootfs' : 'overlay',
  };
  return [root, ...mounts];
}

/** Texts of mount tables, kept until the mounts change. */
export class MountTables {
  readonly #machine: Machine;
  #of: readonly MountSpec[] | null = null;
  readonly #texts = new Map<string, string>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Mounts of one namespace in the order they were made. */
  mountsOf(namespace: string): readonly MountSpec[] {
    const own = this.#machine.host.mounts.filter((mount) => mount.namespace === namespace);
    return withRoot(namespace, own);
  }

  /** /proc/PID/mountinfo of a process in `namespace`. */
  mountinfo(namespace: string): string {
    return this.#text(`info ${namespace}`, () => {
      const all = [...new Set(this.#machine.host.mounts.map((mount) => mount.namespace))];
      // Mount ids are unique on the machine, not only in a namespace.
      const firstId = firstMountId + 1000 * (all.indexOf(namespace) + 1);
      return numbered(this.mountsOf(namespace), firstId)
        .map(({ mount, id, parentId }) => {
          const source = escaped(sourcePath(this.#machine, mount.source));
          const place = `${mount.devno} / ${escaped(mount.target)} rw,relatime`;
          return `${id} ${parentId} ${place} - ${mount.fsType} ${source} rw\n`;
        })
        .join('');
    });
  }

  /** /proc/PID/mounts. */
  mounts(namespace: string): string {
    return this.#text(`mounts ${namespace}`, () =>
      this.mountsOf(namespace)
        .map((mount) => {
          const source = escaped(sourcePath(this.#machine, mount.source));
          return `${source} ${escaped(mount.target)} ${mount.fsType} rw,relatime 0 0\n`;
        })
        .join(''),
    );
  }

  #text(key: string, make: () => string): string {
    const { mounts } = this.#machine.host;
    if (this.#of !== mounts) {
      this.#of = mounts;
      this.#texts.clear();
    }
    const text = this.#texts.get(key) ?? make();
    this.#texts.set(key, text);
    return text;
  }
}
