// The shape of a sysfs dump: what a small collector wrote of a running guest, file by file. Only the parts
// that a machine is built from are named; the rest is ignored, a dump is not ours to be strict about.
import * as z from 'zod';

const errnoOr = <Item extends z.ZodType>(item: Item) =>
  z.union([item, z.object({ errno: z.string() })]);

const dumpDevice = z.object({
  /** The text of the link in /sys/bus/pci/devices. */
  path: z.string(),
  names: z.array(z.string()),
  attrs: z.record(z.string(), errnoOr(z.string())),
  driver: z.string().nullable(),
  iommu_group: z.string().nullable(),
  physfn: z.string().nullable(),
  virtfns: z.array(z.tuple([z.string(), z.string()])),
  /** Configuration space from its start; trailing zeroes may be cut off. */
  config_hex: z
    .string()
    .regex(/^([0-9a-f]{2})*$/)
    .catch(''),
  net: z.array(z.string()).optional(),
  nvme: z.array(z.string()).optional(),
  drm: z.array(z.string()).optional(),
  sound: z.array(z.string()).optional(),
});

/** One dump. */
export const dumpForm = z.object({
  kernel: z.string(),
  cmdline: z.string(),
  devices: z.record(z.string(), dumpDevice),
  iommu_groups: z.record(
    z.string().regex(/^\d+$/),
    z.object({
      devices: z.array(z.string()),
      type: errnoOr(z.string()),
      reserved_regions: errnoOr(z.string()),
    }),
  ),
  drivers: z.record(
    z.string(),
    z.object({ names: z.array(z.string()), module: z.string().nullable().optional() }),
  ),
  iommus: z.record(z.string(), z.unknown()),
  dev_iommu: z.boolean(),
  mounts: z.string(),
  swaps: z.string(),
  net: z.record(
    z.string(),
    z.object({
      link: z.string(),
      operstate: errnoOr(z.string()),
      address: errnoOr(z.string()),
      carrier: errnoOr(z.string()),
    }),
  ),
  block: z.record(
    z.string(),
    z.object({ link: z.string(), size: errnoOr(z.string()), holders: z.array(z.string()) }),
  ),
  modules: z.string(),
  params: z.record(z.string(), z.record(z.string(), z.unknown())),
});

/** A dump that has the shape. */
export type Dump = z.output<typeof dumpForm>;
/** One function of a dump. */
export type DumpDevice = z.output<typeof dumpDevice>;
