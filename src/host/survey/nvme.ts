// NVMe multipath: the disk that is used hangs below a virtual subsystem and names no function in its place; the
// controllers of the subsystem do. This joins the two.
import type { Unknown } from '../../base/known.ts';
import type { PciFunction } from '../../pci/function.ts';
import { isAbsent } from '../reading.ts';
import { distinct, type UseContext } from './context.ts';

/** A namespace that is reached through controllers. */
export interface NvmeHead {
  readonly name: string;
  /** Folder of the subsystem. */
  readonly path: string;
  /** Controllers of the subsystem, all of them. */
  readonly controllers: readonly string[];
  /** Functions in question among the controllers'. */
  readonly targets: readonly PciFunction[];
}

/** The heads of all subsystems. */
export interface NvmeHeads {
  readonly heads: readonly NvmeHead[];
  readonly problems: readonly Unknown[];
}

/** Joins /sys/class/nvme-subsystem with /sys/class/nvme. */
export async function nvmeHeads(context: UseContext): Promise<NvmeHeads> {
  const controllers = await context.linked('/sys/class/nvme');
  const subsystems = await context.names('/sys/class/nvme-subsystem');
  const problems = [...controllers.problems];
  if (!subsystems.known) {
    if (!isAbsent(subsystems)) problems.push(subsystems);
    return { heads: [], problems };
  }
  const functionOf = new Map(controllers.devices.map((each) => [each.name, each.targets]));
  const heads: NvmeHead[] = [];
  for (const subsystem of subsystems.value) {
    const path = `/sys/class/nvme-subsystem/${subsystem}`;
    const names = await context.names(path);
    if (!names.known && !isAbsent(names)) problems.push(names);
    const entries: readonly string[] = names.known ? names.value : [];
    const own = entries.filter((name) => /^nvme\d+$/.test(name));
    const targets = distinct(own.flatMap((name) => functionOf.get(name) ?? []));
    for (const name of entries.filter((entry) => /^nvme\d+n\d+$/.test(entry))) {
      heads.push({ name, path, controllers: own, targets });
    }
  }
  return { heads, problems };
}
