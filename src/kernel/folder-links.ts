// A folder's links read by single calls: for a kernel that has nothing better, and for one that stands before another
// and has to see each call.
import type { CallOptions, FolderLink, KernelFs, Outcome } from './fs.ts';

/** What KernelFs.readLinks answers, from one listing and one readLink for each name. */
export async function readLinksOneByOne(
  kernel: Pick<KernelFs, 'list' | 'readLink'>,
  path: string,
  options?: CallOptions,
): Promise<Outcome<readonly FolderLink[]>> {
  const names = await kernel.list(path, options);
  if (names.kind !== 'value') {
    if (names.kind === 'errno') return names;
    const settles = names.settles.then(async (late) =>
      late.kind === 'errno' ? late : followed(kernel, path, late.value),
    );
    return { kind: 'pending', settles };
  }
  return followed(kernel, path, names.value);
}

async function followed(
  kernel: Pick<KernelFs, 'readLink'>,
  path: string,
  names: readonly string[],
): Promise<{ readonly kind: 'value'; readonly value: readonly FolderLink[] }> {
  const value = await Promise.all(
    names.map(async (name) => {
      const link = await kernel.readLink(`${path}/${name}`);
      return { name, link: link.kind === 'pending' ? await link.settles : link };
    }),
  );
  return { kind: 'value', value };
}
