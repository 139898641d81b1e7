// One file replaced or removed so that it survives a power cut: written beside, synced, renamed, folder
// synced. Refuses to answer before all of that has happened.
//
// This is not left to write-file-atomic (8.0.0): it issues one write(2) and ignores the count that came
// back, so on a disk that fills up half-way it renames a cut file over the good one and reports success
// (seen on a tmpfs with 8 KiB free); and it never syncs the folder, without which the rename itself may
// be lost.
import { type FileHandle, open, readFile, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The calls that can fail on a bad disk; tests pass others, because an EIO cannot be ordered for real. */
export interface FileCalls {
  open(path: string, flags: string, mode?: number): Promise<FileHandle>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  syncFolder(dir: string): Promise<void>;
}

async function syncFolder(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The calls of the machine. */
export const realFileCalls: FileCalls = { open, rename, unlink, syncFolder };

/** Name of the file that is written beside `path`; what is found under it at a start was never in force. */
function besideName(path: string): string {
  return join(dirname(path), `.${basename(path)}.new`);
}

/** True for the name of a file that a killed writer left beside the real one. */
export function isBesideName(name: string): boolean {
  return name.startsWith('.') && name.endsWith('.json.new');
}

/** True when `thrown` is a system error with this errno name. */
export function hasErrno(thrown: unknown, errno: string): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === errno;
}

async function ignoreAbsent(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    if (!hasErrno(thrown, 'ENOENT')) throw thrown;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, done);
    if (bytesWritten === 0) throw new Error('write(2) took no bytes');
    done += bytesWritten;
  }
}

async function writeBeside(calls: FileCalls, path: string, bytes: Uint8Array): Promise<string> {
  const beside = besideName(path);
  // A leftover of a killed writer is removed first: 'wx' then never follows a link put there by someone.
  await ignoreAbsent(calls.unlink(beside));
  try {
    const handle = await calls.open(beside, 'wx', 0o600);
    try {
      await writeAll(handle, bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    await calls.unlink(beside).catch(() => undefined);
    throw thrown;
  }
  return beside;
}

async function renameBeside(calls: FileCalls, beside: string, path: string): Promise<void> {
  try {
    await calls.rename(beside, path);
  } catch (thrown) {
    await calls.unlink(beside).catch(() => undefined);
    throw thrown;
  }
}

async function earlierContent(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOENT')) return null;
    throw thrown;
  }
}

/** Puts back what was there; when the disk refuses that too, the folder holds either content, never a mix. */
async function putBack(calls: FileCalls, path: string, earlier: Uint8Array | null): Promise<void> {
  if (earlier === null) await ignoreAbsent(calls.unlink(path));
  else await renameBeside(calls, await writeBeside(calls, path, earlier), path);
  await calls.syncFolder(dirname(path));
}

/**
 * Replaces the content of `path` durably. Throws the system error of what failed, and then the earlier
 * content is in force (put back when only the folder could not be synced), and nothing is left beside it.
 */
export async function writeDurably(calls: FileCalls, path: string, text: string): Promise<void> {
  const earlier = await earlierContent(path);
  await renameBeside(calls, await writeBeside(calls, path, Buffer.from(text)), path);
  try {
    await calls.syncFolder(dirname(path));
  } catch (thrown) {
    await putBack(calls, path, earlier).catch(() => undefined);
    throw thrown;
  }
}

/** Removes `path` durably; a file that is not there is fine. Throws as writeDurably does. */
export async function removeDurably(calls: FileCalls, path: string): Promise<void> {
  const earlier = await earlierContent(path);
  await ignoreAbsent(calls.unlink(path));
  try {
    await calls.syncFolder(dirname(path));
  } catch (thrown) {
    await putBack(calls, path, earlier).catch(() => undefined);
    throw thrown;
  }
}
