// RDMA devices of a function: programs with its verbs open, kernel users that only show as referenced modules, and
// devices that were moved to another namespace.
import type { HostUse } from '../../ownership/use.ts';
import type { PciFunction } from '../../pci/function.ts';
import { findingsOf } from '../concurrently.ts';
import { devicesFolder } from '../function-reader.ts';
import { isAbsent } from '../reading.ts';
import { type UseContext, unknownUses, usesOf } from '../survey/context.ts';
import { openedUses } from './opened.ts';

/** Kernel users of RDMA; which device they use is told by netlink only, so any of them in use counts for all. */
const kernelUsers = [
  'nvme_rdma',
  'nvmet_rdma',
  'ib_iser',
  'ib_isert',
  'ib_srp',
  'ib_srpt',
  'rpcrdma',
  'rds_rdma',
  'smc',
];

/** RdmaInUse. */
export async function rdmaUses(context: UseContext): Promise<readonly HostUse[]> {
  const { devices, problems } = await context.linked('/sys/class/infiniband');
  const found = unknownUses(context.targets, 'RDMA devices', problems);
  const owners = [...new Set(devices.flatMap((device) => device.targets))];
  found.push(
    ...(await openedUses(context, {
      class: 'infiniband_verbs',
      nodes: '/dev/infiniband',
      kind: 'RdmaInUse',
    })),
  );
  found.push(...(await findingsOf(context.targets, (fn) => movedUses(context, fn))));
  if (owners.length === 0) return found;
  for (const module of kernelUsers) {
    const path = `/sys/module/${module}/refcnt`;
    const count = await context.text(path);
    if (!count.known) {
      if (!isAbsent(count)) found.push(...unknownUses(owners, module, [count]));
    } else if (count.value.trim() !== '0') {
      found.push(...usesOf('RdmaInUse', owners, `${module} (kernel)`, { path, says: count.value }));
    }
  }
  return found;
}

async function movedUses(context: UseContext, fn: PciFunction): Promise<readonly HostUse[]> {
  if (!fn.entries.has('infiniband')) return [];
  const path = `${devicesFolder}/${fn.address}/infiniband`;
  const names = await context.names(path);
  if (!names.known) return isAbsent(names) ? [] : unknownUses([fn], 'RDMA devices', [names]);
  if (names.value.length > 0) return [];
  return usesOf('RdmaInUse', [fn], 'its RDMA device, in another namespace', {
    path,
    says: 'empty',
  });
}
