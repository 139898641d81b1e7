// /sys/kernel/config/{target,nvmet}: disks that the host exports to others. The kernel holds them; no
// process shows them open.
import type { Machine } from '../machine.ts';
import { dir } from '../tree.ts';
import type { VDir } from '../vfs.ts';
import { attribute, attributes } from './files.ts';
import { sourcePath } from './block-names.ts';

/** target/core/iblock_N/NAME/udev_path, for LIO. */
export function lioTargets(machine: Machine): VDir {
  const exported = machine.spec.storageTargets.filter(({ kind }) => kind === 'lio');
  return dir(
    Object.fromEntries(
      exported.map(({ device }, index) => [
        `iblock_${index}`,
        dir({
          [device]: dir({
            udev_path: attribute(() => sourcePath(machine, device)),
            enable: attribute(() => 1),
          }),
        }),
      ]),
    ),
  );
}

/** nvmet/subsystems/NQN/namespaces/1/device_path. */
export function nvmetSubsystems(machine: Machine): VDir {
  const exported = machine.spec.storageTargets.filter(({ kind }) => kind === 'nvmet');
  return dir(
    Object.fromEntries(
      exported.map(({ device }) => [
        `nqn.2014-08.org.nvmexpress:${device}`,
        dir({
          namespaces: dir({
            '1': dir({
              device_path: attribute(() => sourcePath(machine, device)),
              ...attributes({ enable: 1 }),
            }),
          }),
        }),
      ]),
    ),
  );
}
