// Small files of /proc and /sys that the surroundings are made of.
import type { Errno } from '../../fs.ts';
import { listing, relativePath, textFile } from '../tree.ts';
import type { VFile, VLink, VNode } from '../vfs.ts';

/** A read-only attribute: one value and a newline. */
export function attribute(value: () => string | number): VFile {
  return textFile(() => `${value()}\n`);
}

/** An attribute that may answer with an errno instead of a value. */
export function attributeOr(value: () => string | number | { readonly errno: Errno }): VFile {
  return {
    kind: 'file',
    mode: 0o444,
    read: () => {
      const got = value();
      return typeof got === 'object'
        ? { kind: 'errno', errno: got.errno }
        : { kind: 'value', value: `${got}\n` };
    },
  };
}

/** A folder of attributes with fixed values. */
export function attributes(
  values: Readonly<Record<string, string | number>>,
): Record<string, VFile> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, attribute(() => value)]),
  );
}

/** A folder that lists keyed things as they are now. */
export function folderOf<T>(
  entries: () => Iterable<readonly [name: string, thing: T]>,
  node: (thing: T, name: string) => VNode,
): VNode {
  return listing(
    () => [...entries()].map(([name]) => name),
    (name) => {
      for (const [key, thing] of entries()) if (key === name) return node(thing, name);
      return null;
    },
  );
}

/** A link from the folder `from` to an absolute path; following it walks the path. */
export function linkTo(from: string, path: string): VLink {
  return { kind: 'link', target: relativePath(from, path) };
}

/** A path as /proc shows it in fields (mangle(), seq_file_path): blanks, tabs, newlines and backslashes as octal. */
export function escaped(path: string): string {
  return path.replace(
    /[ \t\n\\]/g,
    (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}
