// Names of namespaces as /proc shows them: a topology calls them by words, the kernel by inode numbers.
import { hostNamespace } from '../topology-defaults.ts';

/** PROC_*_INIT_INO of include/uapi/linux/nsfs.h and proc_ns.h: the namespaces the machine booted with. */
const initial: Readonly<Record<string, number>> = {
  cgroup: 4_026_531_835,
  ipc: 4_026_531_839,
  mnt: 4_026_531_841,
  net: 4_026_531_840,
  pid: 4_026_531_836,
  time: 4_026_531_834,
  user: 4_026_531_837,
  uts: 4_026_531_838,
};
const firstMade = 4_026_532_200;

/** Kinds of namespaces that /proc/PID/ns lists. */
export const namespaceKinds: readonly string[] = Object.keys(initial);

/** Gives each namespace a number when it is first seen, and the same one ever after. */
export class NamespaceNumbers {
  readonly #numbers = new Map<string, number>();

  /** The text of the link in /proc/PID/ns: `mnt:[4026531841]`. */
  text(kind: string, name: string): string {
    return `${kind}:[${name === hostNamespace ? initial[kind] : this.#made(`${kind} ${name}`)}]`;
  }

  #made(key: string): number {
    const known = this.#numbers.get(key) ?? firstMade + this.#numbers.size;
    this.#numbers.set(key, known);
    return known;
  }
}
