// The image that pods of a guest run: busybox, and the program that uses devices through VFIO.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageArchives } from '../../scripts/image/archives.ts';
import { busyboxFiles } from '../cluster/harness/test-image.ts';
import type { Rig } from '../kernel/rig/rig.ts';

/** Its name. */
export const podImage = 'wholegroup.test/vfio-user:1';

/** Writes its archive; the path of it. */
export function writePodImage(rig: Rig, folder: string): string {
  const program = readFileSync(join(rig.programs, 'vfio-user'));
  const { oci } = imageArchives({
    names: [podImage],
    architecture: 'amd64',
    layers: [
      busyboxFiles(join(rig.qemu, 'usr/bin/busybox')),
      [{ kind: 'file', path: 'bin/vfio-user', mode: 0o755, content: program }],
    ],
    config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
    timeSeconds: 0,
    level: 1,
  });
  const path = join(folder, 'vfio-user.tar');
  writeFileSync(path, oci);
  return path;
}
