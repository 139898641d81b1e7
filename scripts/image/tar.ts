// Writes a tar archive (ustar) that has the same bytes whenever it has the same entries: sorted by path, one time for
// all, owned by numbers. Refuses what that form cannot hold (a path above 255 bytes) and a path named twice.
import { readFileSync } from 'node:fs';

interface Owned {
  readonly path: string;
  /** Owner in the archive; root when not given. */
  readonly uid?: number;
  readonly gid?: number;
}

/** What an archive holds. Paths have no leading slash; folders above an entry need not be named. */
export type Entry =
  | (Owned & { readonly kind: 'folder'; readonly mode?: number })
  | (Owned & { readonly kind: 'link'; readonly target: string })
  | (Owned & { readonly kind: 'file'; readonly mode: number; readonly content: Buffer })
  | (Owned & { readonly kind: 'copy'; readonly mode: number; readonly from: string });

const blockBytes = 512;
const nameBytes = 100;
const prefixBytes = 155;
const numberBytes = 8;
const sizeBytes = 12;
const folderMode = 0o755;
const linkMode = 0o777;
/** Two empty blocks end an archive. */
const endBytes = 2 * blockBytes;
const types = { folder: '5', link: '2', file: '0', copy: '0' } as const;

function octal(value: number, bytes: number): string {
  return `${value.toString(8).padStart(bytes - 1, '0')}\0`;
}

/** A path as name and prefix, cut at a slash. */
function splitPath(path: string): readonly [name: string, prefix: string] {
  if (Buffer.byteLength(path) <= nameBytes) return [path, ''];
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    const fits = Buffer.byteLength(prefix) <= prefixBytes && Buffer.byteLength(name) <= nameBytes;
    if (fits && name !== '') return [name, prefix];
  }
  throw new Error(`"${path}" is too long for a tar archive`);
}

function modeOf(entry: Entry): number {
  if (entry.kind === 'folder') return entry.mode ?? folderMode;
  return entry.kind === 'link' ? linkMode : entry.mode;
}

function contentOf(entry: Entry): Buffer {
  if (entry.kind === 'file') return entry.content;
  return entry.kind === 'copy' ? readFileSync(entry.from) : Buffer.alloc(0);
}

function header(entry: Entry, size: number, timeSeconds: number): Buffer {
  const [name, prefix] = splitPath(entry.kind === 'folder' ? `${entry.path}/` : entry.path);
  const target = entry.kind === 'link' ? entry.target : '';
  if (Buffer.byteLength(target) > nameBytes) {
    throw new Error(`"${entry.path}" links to "${target}", which is too long for a tar archive`);
  }
  const block = Buffer.alloc(blockBytes);
  let at = 0;
  const put = (text: string, bytes: number): void => {
    block.write(text, at);
    at += bytes;
  };
  put(name, nameBytes);
  put(octal(modeOf(entry), numberBytes), numberBytes);
  put(octal(entry.uid ?? 0, numberBytes), numberBytes);
  put(octal(entry.gid ?? 0, numberBytes), numberBytes);
  put(octal(size, sizeBytes), sizeBytes);
  put(octal(timeSeconds, sizeBytes), sizeBytes);
  const sumAt = at;
  put(' '.repeat(numberBytes), numberBytes);
  put(types[entry.kind], 1);
  put(target, nameBytes);
  put('ustar\u000000', numberBytes);
  // Names of owner and group, numbers of a device: none.
  at += 2 * 32 + 2 * numberBytes;
  put(prefix, prefixBytes);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, sumAt);
  return block;
}

/** The folders above all entries that are not entries themselves. */
function foldersAbove(entries: readonly Entry[]): readonly Entry[] {
  const named = new Set(entries.map(({ path }) => path));
  const above = new Set<string>();
  for (const { path } of entries) {
    const parts = path.split('/');
    for (let n = 1; n < parts.length; n++) above.add(parts.slice(0, n).join('/'));
  }
  return [...above].filter((path) => !named.has(path)).map((path) => ({ kind: 'folder', path }));
}

/** The archive, with `timeSeconds` since 1970 as the time of everything in it. */
export function tar(entries: readonly Entry[], timeSeconds: number): Buffer {
  const all = [...foldersAbove(entries), ...entries];
  const sorted = all.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  const blocks: Buffer[] = [];
  let before = '';
  for (const entry of sorted) {
    if (entry.path === before) throw new Error(`"${entry.path}" is in the archive twice`);
    before = entry.path;
    const content = contentOf(entry);
    blocks.push(header(entry, content.length, timeSeconds), content);
    blocks.push(Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes));
  }
  return Buffer.concat([...blocks, Buffer.alloc(endBytes)]);
}
