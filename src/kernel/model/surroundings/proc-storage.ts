// /proc/swaps, /proc/mdstat, /proc/partitions and the state of ZFS pools.
import type { Machine } from '../machine.ts';
import { blockOf, blocksOf } from './block-names.ts';
import { escaped } from './files.ts';

/** Width of the column of names (mm/swapfile.c, swap_show). */
const swapNameWidth = 40;

/** /proc/swaps. A swap whose device is gone stays in use and shows as deleted, as the kernel does. */
export function swapsText(machine: Machine): string {
  const header = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
  const lines = machine.host.swaps.map((name, index) => {
    const child = machine.children.get('block', name);
    const block = child === undefined ? null : blockOf(child);
    const path = escaped(block === null ? `/dev/${name} (deleted)` : `/dev/${name}`);
    const kib = Math.max(0, Math.floor((block?.block.sectors ?? 0) / 2) - 4);
    const blanks = ' '.repeat(path.length < swapNameWidth ? swapNameWidth - path.length : 1);
    const size = `${kib}\t${kib < 10_000_000 ? '\t' : ''}`;
    return `${path}${blanks}partition\t${size}0\t\t${-2 - index}\n`;
  });
  return header + lines.join('');
}

/** /proc/mdstat: arrays and their members that exist now. */
export function mdstatText(machine: Machine): string {
  const arrays = machine.spec.stacked.filter((stacked) => stacked.mdState !== null);
  const blocks = blocksOf(machine);
  const texts = arrays.map((array) => {
    const members = blocks.filter(({ block }) => block.holders.includes(array.name));
    const names = members.map(({ block }, index) => `${block.name}[${index}]`).reverse();
    if (array.mdState === 'inactive') {
      return `${array.name} : inactive ${names.join(' ')}\n      0 blocks super 1.2\n       \n`;
    }
    const size = Math.floor((members[0]?.block.sectors ?? 0) / 2);
    const up = `[${members.length}/${members.length}] [${'U'.repeat(members.length)}]`;
    return `${array.name} : active raid1 ${names.join(' ')}\n      ${size} blocks super 1.2 ${up}\n      \n`;
  });
  const personalities = arrays.length === 0 ? '' : '[raid1] ';
  return `Personalities : ${personalities}\n${texts.join('')}unused devices: <none>\n`;
}

/** /proc/partitions. */
export function partitionsText(machine: Machine): string {
  const lines = blocksOf(machine).map(({ block }) => {
    const [major = '0', minor = '0'] = block.devno.split(':');
    const size = String(Math.floor(block.sectors / 2)).padStart(10);
    return `${major.padStart(4)}  ${minor.padStart(7)} ${size} ${block.name}\n`;
  });
  return `major minor  #blocks  name\n\n${lines.join('')}`;
}
