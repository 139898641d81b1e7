// The folder for record files that cannot be used. Files are moved in under unique names and never
// overwritten, changed or deleted by us: a person decides.
import { lstat, mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno } from './durable-file.ts';

/** Name of the folder inside the record folder. */
const quarantineFolder = 'quarantine';

/** More files of one name than this are a fault loop, not a history. */
const namesakesMax = 10_000;

/** Reserves an unused name by making an empty file or folder there, which rename(2) then replaces. */
async function reserve(path: string, isFolder: boolean): Promise<boolean> {
  try {
    if (isFolder) await mkdir(path, { mode: 0o700 });
    else await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (thrown) {
    if (hasErrno(thrown, 'EEXIST')) return false;
    throw thrown;
  }
}

/** Makes the folder unless it is there. Not by `recursive`, which calls a read-only disk ENOENT. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (thrown) {
    if (!hasErrno(thrown, 'EEXIST')) throw thrown;
  }
}

/** Moves `dir/name` into quarantine and returns where it is now. Throws the system error of what failed. */
export async function moveToQuarantine(dir: string, name: string): Promise<string> {
  const folder = join(dir, quarantineFolder);
  await makeFolder(folder);
  const isFolder = (await lstat(join(dir, name))).isDirectory();
  for (let n = 0; n < namesakesMax; n++) {
    const path = join(folder, n === 0 ? name : `${name}.${n}`);
    if (await reserve(path, isFolder)) {
      await rename(join(dir, name), path);
      return path;
    }
  }
  throw new Error(`${folder} holds ${namesakesMax} files named ${name}`);
}

/** Paths of what lies in quarantine, in order of name; empty when there is no such folder. */
export async function listQuarantine(dir: string): Promise<readonly string[]> {
  try {
    const names = await readdir(join(dir, quarantineFolder));
    return names.sort().map((name) => join(dir, quarantineFolder, name));
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOENT')) return [];
    throw thrown;
  }
}
