// Faults as data (what may go wrong on a machine), and the place where the operations ask whether one
// applies. A fault without a `times` lasts until it is cleared.
import type { Random } from '../../base/random.ts';
import type { PciAddress } from '../../pci/address.ts';
import type { Errno } from '../fs.ts';

/** Which calls a fault strikes. An absent field matches everything. */
interface Match {
  readonly address?: PciAddress;
  readonly driver?: string;
  /** How often it strikes; absent: always. */
  readonly times?: number;
}

/** A file by its path as it was asked for. */
interface PathMatch {
  /** Exact path, or a prefix ending in `*`. */
  readonly path: string;
  readonly times?: number;
}

/** Something that goes wrong. */
export type Fault =
  /** A removal that never ends: asleep (interruptibly until a signal), until the fault is cleared. */
  | ({ readonly kind: 'unbind-hang' } & Match)
  /** A removal that spins in the kernel (nvidia): running, immune to signals, until the fault is cleared. */
  | ({ readonly kind: 'remove-spin' } & Match)
  | ({ readonly kind: 'probe-errno'; readonly errno: Errno } & Match)
  /** EPROBE_DEFER; `retryMs` later the kernel tries again by itself, unless something bound it meanwhile. */
  | ({ readonly kind: 'probe-defer'; readonly retryMs: number } & Match)
  /** `afterMs` after a device lost its driver, a module for it is loaded and takes it. */
  | ({ readonly kind: 'autoload-steal'; readonly afterMs: number } & Match)
  /** driver_override silently forgotten right after a write. */
  | ({ readonly kind: 'override-loss' } & Match)
  | ({ readonly kind: 'reset-failure'; readonly errno: Errno } & Match)
  /** The function is gone from the bus: configuration reads all ones, probes fail with ENODEV or EIO. */
  | ({ readonly kind: 'dead' } & Match)
  /** Stuck in D3cold: the VFIO device cannot be opened. */
  | ({ readonly kind: 'd3cold' } & Match)
  | { readonly kind: 'uevent-loss'; readonly chance: number; readonly times?: number }
  | { readonly kind: 'uevent-duplicate'; readonly chance: number; readonly times?: number }
  /** An event comes after the next one. */
  | { readonly kind: 'uevent-reorder'; readonly chance: number; readonly times?: number }
  | ({ readonly kind: 'read-errno'; readonly errno: Errno } & PathMatch)
  | ({ readonly kind: 'list-errno'; readonly errno: Errno } & PathMatch)
  | ({ readonly kind: 'write-errno'; readonly errno: Errno } & PathMatch)
  /** A read that does not come back until the fault is cleared. */
  | ({ readonly kind: 'read-hang' } & PathMatch)
  | ({ readonly kind: 'write-hang' } & PathMatch)
  /** /sys is mounted read-only, or the kernel is locked down. */
  | { readonly kind: 'read-only'; readonly errno: 'EROFS' | 'EPERM' };

/** Kinds of faults. */
export type FaultKind = Fault['kind'];
/** A fault of one kind. */
export type FaultOf<K extends FaultKind> = Extract<Fault, { readonly kind: K }>;

/** An injected fault; clearing twice is harmless. */
export interface FaultHandle {
  readonly fault: Fault;
  clear(): void;
}

interface Armed {
  readonly fault: Fault;
  left: number;
  readonly cleared: Promise<void>;
  readonly clear: () => void;
}

function deviceMatches(
  fault: Match,
  device: { address: PciAddress; driver: string | null },
): boolean {
  if (fault.address !== undefined && fault.address !== device.address) return false;
  return fault.driver === undefined || fault.driver === device.driver;
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path;
}

/** The faults that are armed now. */
export class Faults {
  readonly #random: Random;
  readonly #armed = new Map<FaultKind, Set<Armed>>();
  #count = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** True while nothing is armed: the quick way past every question. */
  get none(): boolean {
    return this.#count === 0;
  }

  /** Arms a fault. */
  inject(fault: Fault): FaultHandle {
    let release = (): void => undefined;
    const cleared = new Promise<void>((resolve) => {
      release = resolve;
    });
    const armed: Armed = {
      fault,
      left: 'times' in fault && fault.times !== undefined ? fault.times : Number.POSITIVE_INFINITY,
      cleared,
      clear: () => {
        this.#disarm(armed);
        release();
      },
    };
    const set = this.#armed.get(fault.kind) ?? new Set();
    set.add(armed);
    this.#armed.set(fault.kind, set);
    this.#count += 1;
    return { fault, clear: armed.clear };
  }

  /** Clears all faults; what hangs goes on. */
  clear(): void {
    for (const set of [...this.#armed.values()]) for (const armed of [...set]) armed.clear();
  }

  /** What is armed. */
  list(): readonly Fault[] {
    return [...this.#armed.values()].flatMap((set) => [...set].map((armed) => armed.fault));
  }

  /** The fault of this kind that strikes this device now, or null. Counts a strike. */
  onDevice<K extends FaultKind>(
    kind: K,
    device: { address: PciAddress; driver: string | null },
  ): { readonly fault: FaultOf<K>; readonly cleared: Promise<void> } | null {
    return this.#strike(kind, (fault) => deviceMatches(fault as Match, device));
  }

  /** The fault of this kind that strikes this path now, or null. Counts a strike. */
  onPath<K extends FaultKind>(
    kind: K,
    path: string,
  ): { readonly fault: FaultOf<K>; readonly cleared: Promise<void> } | null {
    return this.#strike(kind, (fault) => pathMatches((fault as PathMatch).path, path));
  }

  /** A fault that strikes whatever happens, or with its own chance. Counts a strike. */
  always<K extends FaultKind>(kind: K): FaultOf<K> | null {
    const chance = (fault: Fault): boolean =>
      !('chance' in fault) || this.#random.chance(fault.chance);
    return this.#strike(kind, chance)?.fault ?? null;
  }

  #strike<K extends FaultKind>(
    kind: K,
    applies: (fault: Fault) => boolean,
  ): { readonly fault: FaultOf<K>; readonly cleared: Promise<void> } | null {
    if (this.#count === 0) return null;
    for (const armed of this.#armed.get(kind) ?? []) {
      if (armed.left <= 0 || !applies(armed.fault)) continue;
      armed.left -= 1;
      return { fault: armed.fault as FaultOf<K>, cleared: armed.cleared };
    }
    return null;
  }

  #disarm(armed: Armed): void {
    if (this.#armed.get(armed.fault.kind)?.delete(armed) === true) this.#count -= 1;
  }
}
