// Writes a cpio archive ("newc") as the kernel unpacks it for its first file system. Later archives of one
// initramfs add to the earlier ones, so a run's own files come in a small archive behind a large, cached one.
import { readFileSync } from 'node:fs';

/** What an archive holds. */
export type Entry =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly mode: number;
      readonly content: Buffer;
    }
  | { readonly kind: 'copy'; readonly path: string; readonly mode: number; readonly from: string };

const types = { folder: 0o040000, link: 0o120000, file: 0o100000, copy: 0o100000 } as const;
const folderMode = 0o755;
const linkMode = 0o777;
const alignment = 4;
const blockBytes = 512;

function padded(buffers: readonly Buffer[], to: number): Buffer {
  const whole = Buffer.concat(buffers);
  return Buffer.concat([whole, Buffer.alloc((to - (whole.length % to)) % to)]);
}

function record(path: string, mode: number, content: Buffer, inode: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${numbers.map((n) => n.toString(16).padStart(8, '0')).join('')}`;
  return Buffer.concat([
    padded([Buffer.from(header), name], alignment),
    padded([content], alignment),
  ]);
}

function contentOf(entry: Entry): Buffer {
  if (entry.kind === 'folder') return Buffer.alloc(0);
  if (entry.kind === 'link') return Buffer.from(entry.target);
  return entry.kind === 'file' ? entry.content : readFileSync(entry.from);
}

function modeOf(entry: Entry): number {
  if (entry.kind === 'folder') return types.folder | folderMode;
  return types[entry.kind] | (entry.kind === 'link' ? linkMode : entry.mode);
}

/** The folders above all entries, outermost first. */
function foldersAbove(entries: readonly Entry[]): Entry[] {
  const paths = new Set<string>();
  for (const { path } of entries) {
    const parts = path.split('/');
    for (let n = 1; n < parts.length; n++) paths.add(parts.slice(0, n).join('/'));
  }
  return [...paths].sort().map((path) => ({ kind: 'folder', path }));
}

/** The archive. Paths have no leading slash; folders above an entry need not be named. */
export function cpio(entries: readonly Entry[]): Buffer {
  const named = new Set(entries.filter(({ kind }) => kind !== 'copy').map(({ path }) => path));
  const above = foldersAbove(entries).filter(({ path }) => !named.has(path));
  const records = [...above, ...entries].map((entry, i) =>
    record(entry.path, modeOf(entry), contentOf(entry), i + 1),
  );
  return padded([...records, record('TRAILER!!!', 0, Buffer.alloc(0), 0)], blockBytes);
}
