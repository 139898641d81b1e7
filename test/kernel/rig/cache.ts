// The folder in which the rig keeps what it fetched and built: $XDG_CACHE_HOME/wholegroup. Every part of it has its
// versions in its name and a list of its files beside it; a part whose files are not as listed is made again.
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the rig keeps its things. Nothing else of the host is written to. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const base = env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(base, 'wholegroup', 'rig');
}

/** Short name for something that is made of `parts`: changes when any of them does. */
export function keyOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12);
}

/** Sizes of all files below a folder, one a line. */
function listing(folder: string): string {
  return globSync('**/*', { cwd: folder })
    .map((name) => ({ name, stat: lstatSync(join(folder, name)) }))
    .filter(({ stat }) => stat.isFile())
    .map(({ name, stat }) => `${stat.size} ${name}`)
    .sort()
    .join('\n');
}

/**
 * The folder `name` of the cache. `make` fills it when it is not there or not whole; it is put in place only when
 * `make` has come to its end, so that whoever is interrupted leaves nothing half done.
 */
export async function cached(
  cache: string,
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cache, name);
  const list = `${folder}.files`;
  if (existsSync(list) && existsSync(folder) && readFileSync(list, 'utf8') === listing(folder)) {
    return folder;
  }
  const fresh = `${folder}.new-${process.pid}`;
  rmSync(list, { force: true });
  rmSync(folder, { recursive: true, force: true });
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  try {
    await make(fresh);
  } catch (thrown) {
    rmSync(fresh, { recursive: true, force: true });
    throw thrown;
  }
  try {
    renameSync(fresh, folder);
    writeFileSync(list, listing(folder));
  } catch (thrown) {
    // Another run made the same at the same time.
    rmSync(fresh, { recursive: true, force: true });
    if (!existsSync(folder)) throw thrown;
  }
  return folder;
}
