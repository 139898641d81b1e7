// The image that pods of the tests run, and that keeps the namespaces of every pod: busybox, of Debian's package.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { imageArchives } from '../../../scripts/image/archives.ts';
import type { Entry } from '../../../scripts/image/tar.ts';
import { cacheFolder } from '../cache.ts';
import { debianPackage } from '../debian.ts';
import { sandboxImage } from './node-files.ts';

/** Every other name that a busybox answers to. */
export function busyboxNames(busybox: string): readonly string[] {
  const { stdout } = spawnSync(busybox, ['--list'], { encoding: 'utf8' });
  return stdout.split('\n').filter((name) => name !== '' && name !== 'busybox');
}

/** Files below the root: busybox under every name that it answers to. */
export function busyboxFiles(busybox: string): readonly Entry[] {
  const names = busyboxNames(busybox);
  return [
    { kind: 'file', path: 'bin/busybox', mode: 0o755, content: readFileSync(busybox) },
    ...names.map((name): Entry => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' })),
    { kind: 'folder', path: 'tmp', mode: 0o1777 },
  ];
}

/** The archive of the image, made where it is not in the cache. */
export async function testImage(tell: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(process.env), 'images');
  const archive = join(folder, 'busybox-2.tar');
  if (existsSync(archive)) return archive;
  const busybox = join(await debianPackage('busybox-static', tell), 'usr/bin/busybox');
  const { oci } = imageArchives({
    names: [sandboxImage],
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    layers: [busyboxFiles(busybox)],
    // As the first process it ends on no signal but the last one, which is what a pod's keeper gets.
    config: { Cmd: ['/bin/sleep', '2147483647'], Env: ['PATH=/bin'] },
    timeSeconds: 0,
    level: 1,
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${archive}.${process.pid}`, oci);
  renameSync(`${archive}.${process.pid}`, archive);
  return archive;
}
