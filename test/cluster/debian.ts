// Files of Debian packages, unpacked into the cache: what the cluster needs and no Go module has. Installs nothing;
// throws Unavailable where this machine's apt names no Debian mirror.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PrivateApt } from '../kernel/rig/apt.ts';
import { cached } from '../kernel/rig/cache.ts';
import { unpackPrograms } from '../kernel/rig/unpack.ts';
import { cacheFolder } from './cache.ts';

const suite = 'bookworm';

/** The folder with the files of a package (not of what it depends on), below `usr/`. */
export async function debianPackage(name: string, tell: (line: string) => void): Promise<string> {
  const cache = join(cacheFolder(process.env), 'debian');
  mkdirSync(cache, { recursive: true });
  return await cached(cache, `${name}-${suite}`, async (fresh) => {
    tell(`${name}: fetching the package from this machine's Debian mirror`);
    const apt = new PrivateApt(join(cache, 'apt'), { main: [suite], security: [] });
    await apt.update();
    const files = await apt.filesAlone([name]);
    await apt.download([name]);
    await unpackPrograms(
      fresh,
      files.map((file) => apt.check(file)),
    );
  });
}
