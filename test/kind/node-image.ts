// The image of a kind node, made here: Debian with systemd, Kubernetes, containerd, runc and network plugins, and inside
// it the images that kubeadm starts. kind itself would fetch one from a registry.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../cluster/cache.ts';
import type { NodePrograms } from '../cluster/harness/node.ts';
import { containerdToml } from '../cluster/harness/node-files.ts';
import { succeed } from '../cluster/harness/run.ts';
import { kubernetesVersion } from '../cluster/programs.ts';
import { keyOf } from '../kernel/rig/cache.ts';
import { writeArchive } from './archive.ts';

/** The name under which kind finds it. */
export const nodeImageName = 'kindest/node:wholegroup';

/** What it is made of. */
export interface NodeImageParts {
  readonly root: string;
  readonly programs: NodePrograms;
  /** Archive with the image that keeps a pod's namespaces. */
  readonly sandbox: string;
}

const parts = join(import.meta.dirname, 'node');
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Units that would change the machine, or wait for what a container has not. */
const unwanted = [
  ...['systemd-sysctl', 'systemd-binfmt', 'systemd-modules-load', 'systemd-logind'],
  ...['systemd-firstboot', 'systemd-journal-flush', 'getty@tty1', 'console-getty', 'nftables'],
].map((name) => `${name}.service`);
const unwantedTimers = ['fstrim', 'systemd-tmpfiles-clean'].map((name) => `${name}.timer`);

function put(root: string, file: string, content: { from: string } | string, mode = 0o644): void {
  const target = join(root, file);
  mkdirSync(dirname(target), { recursive: true });
  if (typeof content === 'string') writeFileSync(target, content);
  else copyFileSync(content.from, target);
  chmodSync(target, mode);
}

function link(root: string, file: string, target: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  symlinkSync(target, join(root, file));
}

const kubernetesAs = (root: string, names: readonly string[], from: string): void => {
  put(root, 'usr/local/bin/kubernetes', { from }, 0o755);
  for (const name of names) link(root, `usr/local/bin/${name}`, 'kubernetes');
};

/** Names of the images that kubeadm of this version starts, but for DNS, which the cluster has not. */
async function controlPlaneImages(kubeadm: string): Promise<readonly string[]> {
  const args = ['config', 'images', 'list', `--kubernetes-version=v${kubernetesVersion}`];
  const listed = await succeed(kubeadm, args);
  return listed
    .trim()
    .split('\n')
    .filter((name) => !/\/(pause|coredns\/coredns):/.test(name));
}

/** One image under the names of all programs of the control plane, and of the proxy, which needs nft. */
async function controlPlane(work: string, { root, programs }: NodeImageParts): Promise<string> {
  const folder = join(work, 'control-plane');
  const names = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
  kubernetesAs(folder, [...names, 'kube-proxy'], join(programs.kubernetes, 'kubernetes'));
  put(folder, 'usr/sbin/nft', { from: join(root, 'usr/sbin/nft') }, 0o755);
  const libraries = await succeed('chroot', [root, '/usr/bin/ldd', '/usr/sbin/nft']);
  for (const [file] of libraries.matchAll(/\/lib\S+/g))
    put(folder, file, { from: join(root, file) }, 0o755);
  for (const below of ['tmp', 'etc']) mkdirSync(join(folder, below), { recursive: true });
  const archive = join(work, 'control-plane.tar');
  await writeArchive(archive, {
    names: await controlPlaneImages(join(programs.kubernetes, 'kubeadm')),
    folders: [folder],
    config: { Env: [path] },
  });
  return archive;
}

async function nodeFolder(work: string, given: NodeImageParts): Promise<string> {
  const { kubernetes, containerd, runc, cni } = given.programs;
  const folder = join(work, 'node');
  const wanted = ['kubelet', 'kubeadm', 'kubectl'];
  kubernetesAs(folder, wanted, join(kubernetes, 'kubernetes'));
  // kind calls some of them by their whole path.
  for (const name of wanted) link(folder, `usr/bin/${name}`, `../local/bin/${name}`);
  for (const name of readdirSync(containerd))
    put(folder, `usr/local/bin/${name}`, { from: join(containerd, name) }, 0o755);
  put(folder, 'usr/local/bin/runc', { from: join(runc, 'runc') }, 0o755);
  for (const name of readdirSync(cni))
    put(folder, `opt/cni/bin/${name}`, { from: join(cni, name) }, 0o755);
  const place = { name: '', index: 0, cni: '/opt/cni/bin', runc: '/usr/local/bin/runc' };
  put(folder, 'etc/containerd/config.toml', containerdToml(place));
  put(folder, 'usr/local/bin/entrypoint', { from: join(parts, 'entrypoint') }, 0o755);
  put(folder, 'kind/import-images', { from: join(parts, 'import-images') }, 0o755);
  put(folder, 'kind/version', `v${kubernetesVersion}\n`);
  for (const below of ['etc/cni/net.d', 'etc/cdi', 'etc/kubernetes/manifests'])
    mkdirSync(join(folder, below), { recursive: true });
  const units = 'etc/systemd/system';
  for (const name of ['containerd', 'kubelet']) {
    put(folder, `${units}/${name}.service`, { from: join(parts, `${name}.service`) });
    link(folder, `${units}/multi-user.target.wants/${name}.service`, `../${name}.service`);
  }
  link(folder, `${units}/default.target`, '/lib/systemd/system/multi-user.target');
  for (const name of [...unwanted, ...unwantedTimers])
    link(folder, `${units}/${name}`, '/dev/null');
  put(folder, 'kind/images/control-plane.tar', { from: await controlPlane(work, given) });
  put(folder, 'kind/images/sandbox.tar', { from: given.sandbox });
  return folder;
}

/** The archive of the image, from the cache or made now. */
export async function nodeImage(
  given: NodeImageParts,
  tell: (line: string) => void,
): Promise<string> {
  const own = readdirSync(parts).map((name) => join(parts, name));
  const sources = [...own, import.meta.filename, join(import.meta.dirname, 'archive.ts')];
  const texts = sources.map((file) => readFileSync(file, 'utf8'));
  const key = keyOf([given.root, given.sandbox, ...Object.values(given.programs), ...texts]);
  const images = join(cacheFolder(process.env), 'images');
  const archive = join(images, `kind-node-${kubernetesVersion}-${key}.tar`);
  if (existsSync(archive)) return archive;
  const startedMs = performance.now();
  tell('kind node image: making it');
  mkdirSync(images, { recursive: true });
  const work = mkdtempSync(join(images, 'kind-node-'));
  try {
    await writeArchive(archive, {
      names: [nodeImageName],
      folders: [given.root, await nodeFolder(work, given)],
      config: {
        Env: ['container=docker', path],
        Entrypoint: ['/usr/local/bin/entrypoint', '/sbin/init'],
        StopSignal: 'SIGRTMIN+3',
      },
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  // They are large, and nobody asks for those of other inputs any more.
  for (const other of globSync(join(images, `kind-node-${kubernetesVersion}-*.tar`)))
    if (other !== archive) rmSync(other, { force: true });
  tell(`kind node image: made in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return archive;
}
