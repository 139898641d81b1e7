// An image archive in docker's own form, put together by tar(1) from folders: for images that are too large to pass
// through memory. Layers stay as they are, uncompressed: docker and containerd take them faster so.
import { createHash } from 'node:crypto';
import { createReadStream, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunConfig } from '../../scripts/image/archives.ts';
import { succeed } from '../cluster/harness/run.ts';

/** An image to put together. */
export interface FolderImage {
  /** Full names with their tags. */
  readonly names: readonly string[];
  /** One layer from each folder, lowest first. */
  readonly folders: readonly string[];
  readonly config: RunConfig & { readonly StopSignal?: string };
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Writes it to `out`, whole or not at all. */
export async function writeArchive(out: string, image: FolderImage): Promise<void> {
  const work = mkdtempSync(join(dirname(out), 'archive-'));
  try {
    const layers = image.folders.map((_, at) => `layer-${at}.tar`);
    const same = ['--sort=name', '--mtime=@0', '--numeric-owner', '--owner=0', '--group=0'];
    for (const [at, folder] of image.folders.entries())
      await succeed('tar', [...same, '-C', folder, '-cf', join(work, `layer-${at}.tar`), '.']);
    const created = new Date(0).toISOString();
    const sums = await Promise.all(layers.map(async (layer) => await sha256Of(join(work, layer))));
    const config = {
      ...{ architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux', created },
      config: image.config,
      rootfs: { type: 'layers', diff_ids: sums.map((sum) => `sha256:${sum}`) },
      history: layers.map(() => ({ created })),
    };
    const manifest = [{ Config: 'config.json', RepoTags: image.names, Layers: layers }];
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    writeFileSync(join(work, 'manifest.json'), JSON.stringify(manifest));
    const files = ['manifest.json', 'config.json', ...layers];
    await succeed('tar', ['-C', work, '-cf', join(work, 'image.tar'), ...files]);
    renameSync(join(work, 'image.tar'), out);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
