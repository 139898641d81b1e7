// The order in which kernfs lists a folder: by a hash of the name (fs/kernfs/dir.c, kernfs_name_hash over
// include/linux/stringhash.h). Fixed for all kernels modelled here, so that listings can be compared.

const golden = 0x61c8864680b583ebn;
const mask = 0xffff_ffff_ffff_ffffn;

/** Hash of a name in a folder without namespaces. */
function kernfsHash(name: string): number {
  let sum = 0n;
  for (const byte of new TextEncoder().encode(name)) {
    const c = BigInt(byte);
    sum = ((sum + (c << 4n) + (c >> 4n)) * 11n) & mask;
  }
  const hash = Number((((sum * golden) & mask) >> 32n) & 0x7fff_ffffn);
  // 0, 1 and INT_MAX are taken by `.`, `..` and the end.
  return Math.min(hash < 2 ? hash + 2 : hash, 0x7fff_fffe);
}

/** Names in the order of readdir(3) on sysfs; a new array. */
export function kernfsOrder(names: readonly string[]): string[] {
  const keyed = names.map((name) => ({ name, hash: kernfsHash(name) }));
  keyed.sort((a, b) => a.hash - b.hash || (a.name < b.name ? -1 : 1));
  return keyed.map(({ name }) => name);
}
