// A Debian userland with systemd, from packages of the machine's own mirror: the root of a kind node, and of the machine
// that docker runs on. Unpacked, never installed: what maintainer scripts would do, and is needed, is done here.
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../cluster/cache.ts';
import { succeed } from '../cluster/harness/run.ts';
import { PrivateApt } from '../kernel/rig/apt.ts';
import { cached, keyOf } from '../kernel/rig/cache.ts';

const suite = 'bookworm';
/** The last suite whose systemd still runs on control groups of version 1. */
const packages = [
  ...['base-files', 'base-passwd', 'bash', 'coreutils', 'dash', 'findutils', 'grep', 'sed'],
  ...['gzip', 'tar', 'util-linux', 'mount', 'procps', 'mawk', 'hostname', 'libc-bin'],
  ...['systemd', 'systemd-sysv', 'iproute2', 'nftables', 'iptables', 'conntrack', 'ethtool'],
];
/** Version of what this file does to them. */
const made = '1';

const folders = [
  ...['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'etc', 'var/lib', 'var/log', 'var/tmp'],
  ...['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'mnt', 'opt'],
];
const tables = ['iptables', 'ip6tables'].flatMap((name) =>
  ['', '-save', '-restore'].map((end) => `${name}${end}`),
);

/** Links that Debian's scripts make. */
const links: readonly (readonly [path: string, target: string])[] = [
  ...tables.map((name) => [`usr/sbin/${name}`, 'xtables-nft-multi'] as const),
  ['usr/bin/sh', 'dash'],
  ['usr/bin/awk', 'mawk'],
  ['var/run', '/run'],
];

async function unpack(root: string, packages: readonly string[]): Promise<void> {
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(root, name));
  const script = `set -o pipefail
    for package in "\${@:2}"; do
      dpkg-deb --fsys-tarfile "$package" | tar -x -C "$1" --keep-directory-symlink \
        --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
    done`;
  await succeed('bash', ['-ec', script, 'unpack', root, ...packages]);
  for (const [path, target] of links) {
    rmSync(join(root, path), { recursive: true, force: true });
    symlinkSync(target, join(root, path));
  }
  for (const name of ['passwd', 'group'])
    copyFileSync(join(root, `usr/share/base-passwd/${name}.master`), join(root, 'etc', name));
  writeFileSync(join(root, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
}

/** The folder with it, from the cache or made now. */
export async function debianRoot(tell: (line: string) => void): Promise<string> {
  const cache = join(cacheFolder(process.env), 'debian');
  mkdirSync(cache, { recursive: true });
  return await cached(cache, `root-${suite}-${keyOf([made, ...packages])}`, async (root) => {
    tell('debian: fetching the packages of a userland from the Debian mirror of this machine');
    const apt = new PrivateApt(join(cache, 'apt'), { main: [suite], security: [] });
    await apt.update();
    const files = await apt.filesOf(suite, packages);
    await apt.downloadAll(suite, packages);
    await unpack(
      root,
      files.map((file) => apt.check(file)),
    );
  });
}
