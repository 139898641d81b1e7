// Builds VFIO with iommufd and device files (/dev/vfio/devices) for a stock kernel of Debian: its own source and
// headers, its image unchanged, only the modules made anew. No kernel of Debian has CONFIG_IOMMUFD.
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runProgram } from './run-program.ts';

/** Parts of the source tree that are needed. */
const needed = [
  ...['drivers/vfio/*', 'drivers/iommu/iommufd/*', 'drivers/iommu/iommu-priv.h'],
  'lib/interval_tree.c',
];

/** What the stock configuration has not, as make sees it and as the compiler does. */
const added = { CONFIG_IOMMUFD: 'm', CONFIG_VFIO_DEVICE_CDEV: 'y' } as const;
const defined = [
  'CONFIG_IOMMUFD_MODULE',
  'CONFIG_VFIO_DEVICE_CDEV',
  'CONFIG_INTERVAL_TREE_SPAN_ITER',
];

/** Drivers beside vfio-pci, which no guest has a device for; and what is in the image itself. */
const leftOut = [
  ...['VFIO_PLATFORM', 'VFIO_AMBA', 'VFIO_MDEV', 'VFIO_FSL_MC', 'VFIO_CDX', 'VFIO_IOMMU_SPAPR_TCE'],
  ...['MLX5_VFIO_PCI', 'HISI_ACC_VFIO_PCI', 'PDS_VFIO_PCI', 'VIRTIO_VFIO_PCI'],
  ...['NVGRACE_GPU_VFIO_PCI', 'QAT_VFIO_PCI', 'IOMMUFD_DRIVER', 'IOMMUFD_TEST'],
  'DEBUG_INFO_BTF_MODULES',
].map((name) => `CONFIG_${name}`);

/** Unpacks headers, and gives those makefiles that name places of an installed system the places they are in. */
async function unpackHeaders(folder: string, debs: readonly string[]): Promise<string> {
  mkdirSync(folder, { recursive: true });
  for (const deb of debs) await runProgram('dpkg-deb', ['-x', deb, folder]);
  const sources = join(folder, 'usr/src');
  const [own] = globSync('linux-headers-*-amd64', { cwd: sources });
  if (own === undefined) throw new Error(`no headers in ${debs.join(', ')}`);
  const rewrite = (name: string, change: (text: string) => string): void => {
    const path = join(sources, own, name);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  };
  rewrite('Makefile', (text) => text.replaceAll('/usr/src/', `${sources}/`));
  // The compiler of this machine, whatever its version.
  rewrite('.kernelvariables', (text) => text.replace(/\bgcc-\d+/g, 'gcc'));
  return join(sources, own);
}

/** Unpacks what is needed of the source; the folder of the tree. */
async function unpackSource(folder: string, deb: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const script = `set -o pipefail
    name=$(dpkg-deb --contents "$1" | grep -o '\\./usr/src/linux-source-.*\\.tar\\.xz$')
    dpkg-deb --fsys-tarfile "$1" | tar -xO "$name" | xz -dc | tar -x -C "$2" --wildcards "\${@:3}"`;
  const wanted = needed.map((path) => `*/${path}`);
  await runProgram('bash', ['-c', script, 'unpack', deb, folder, ...wanted]);
  const [tree] = globSync('linux-source-*', { cwd: folder });
  if (tree === undefined) throw new Error(`no source tree in ${deb}`);
  return join(folder, tree);
}

/**
 * The iterator over the gaps of an interval tree is in the image only where iommufd is: it becomes a part of the
 * module, cut out of the file that it shares with what the image has.
 */
function intervalGaps(source: string): string {
  const text = readFileSync(join(source, 'lib/interval_tree.c'), 'utf8');
  const part = /^#ifdef CONFIG_INTERVAL_TREE_SPAN_ITER\n(.*?)^#endif/ms.exec(text)?.[1];
  if (part === undefined) throw new Error('lib/interval_tree.c is not as it was');
  const headers = ['interval_tree', 'interval_tree_generic', 'compiler', 'export'];
  return [
    ...headers.map((name) => `#include <linux/${name}.h>`),
    part.replace(/^EXPORT_SYMBOL.*$/gm, ''),
  ].join('\n');
}

/** A folder that make can build: the two drivers as they are, and what ties them together. */
function layOut(folder: string, source: string): void {
  const drivers = join(source, 'drivers');
  cpSync(join(drivers, 'vfio'), join(folder, 'vfio'), { recursive: true });
  cpSync(join(drivers, 'iommu/iommufd'), join(folder, 'iommufd'), { recursive: true });
  cpSync(join(drivers, 'iommu/iommu-priv.h'), join(folder, 'iommu-priv.h'));
  writeFileSync(join(folder, 'iommufd', 'interval_gaps.c'), intervalGaps(source));
  const makefile = join(folder, 'iommufd', 'Makefile');
  writeFileSync(makefile, `${readFileSync(makefile, 'utf8')}\niommufd-y += interval_gaps.o\n`);
  const flags = defined.map((name) => `-D${name}=1`).join(' ');
  writeFileSync(
    join(folder, 'Makefile'),
    `subdir-ccflags-y += ${flags}\nobj-m += iommufd/ vfio/\n`,
  );
}

/**
 * Builds the modules in `folder` from the packages with headers and source; their files. Rejects with the end of
 * make's words where it cannot, for want of a program for instance.
 */
export async function buildVfio(
  folder: string,
  debs: readonly string[],
): Promise<readonly string[]> {
  const isSource = (deb: string): boolean => basename(deb).startsWith('linux-source-');
  const headers = await unpackHeaders(
    join(folder, 'headers'),
    debs.filter((deb) => !isSource(deb)),
  );
  const source = await unpackSource(join(folder, 'source'), debs.find(isSource) ?? '');
  const build = join(folder, 'build');
  layOut(build, source);
  rmSync(join(folder, 'source'), { recursive: true });
  const settings = [
    ...Object.entries(added).map(([name, value]) => `${name}=${value}`),
    ...leftOut.map((name) => `${name}=`),
  ];
  await runProgram('make', ['-s', '-j2', '-C', headers, `M=${build}`, ...settings, 'modules']);
  const modules = globSync('**/*.ko', { cwd: build }).map((name) => join(build, name));
  for (const module of modules) await runProgram('strip', ['--strip-debug', module]);
  return modules;
}
