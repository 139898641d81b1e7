// The inventory of 1000 functions, against the same system calls made bare: what kernel/linux is asked is recorded
// once and then made again with Node's own synchronous calls, nothing parsed and nothing kept.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { silentLog } from '../src/base/log.ts';
import { createHost } from '../src/host/create-host.ts';
import type { KernelFs } from '../src/kernel/fs.ts';
import { LinuxKernel } from '../src/kernel/linux/linux-kernel.ts';
import { realClock } from '../src/observe/real-clock.ts';
import { type Bench, median, timed } from './measure.ts';
import type { TreeRoots } from './tree.ts';

interface Call {
  readonly kind: 'list' | 'readLink' | 'readLinks' | 'read' | 'exists';
  readonly path: string;
}

/** `kernel`, and every call that it was asked for. */
function recorded(kernel: KernelFs, calls: Call[]): KernelFs {
  const note = (kind: Call['kind'], path: string): string => {
    calls.push({ kind, path });
    return path;
  };
  return {
    read: (path, options) => kernel.read(note('read', path), options),
    list: (path, options) => kernel.list(note('list', path), options),
    readLink: (path, options) => kernel.readLink(note('readLink', path), options),
    readLinks: (path, options) => kernel.readLinks(note('readLinks', path), options),
    exists: (path, options) => kernel.exists(note('exists', path), options),
    write: (path, data, options) => kernel.write(path, data, options),
    changes: (listener) => kernel.changes(listener),
  };
}

function linkOrNone(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function makeBare({ kind, path }: Call): unknown {
  switch (kind) {
    case 'list':
      return readdirSync(path);
    case 'readLink':
      return readlinkSync(path);
    case 'readLinks':
      return readdirSync(path).map((name) => linkOrNone(`${path}/${name}`));
    case 'exists':
      return existsSync(path);
    case 'read':
      // The fastest that Node has for a small text.
      return readFileSync(path, 'utf8');
  }
}

/** Where the tree has a path of the machine. One replacement only: the tree itself may lie below /dev. */
function below(roots: TreeRoots, path: string): string {
  const folders: Readonly<Record<string, string>> = {
    ...{ sys: roots.sysfs, proc: roots.proc, dev: roots.dev, run: roots.run },
  };
  return path.replace(
    /^\/(sys|proc|dev|run)(?=\/)/,
    (whole, root: string) => folders[root] ?? whole,
  );
}

/** The bench. */
export const inventory: Bench = {
  name: 'inventory',
  about: 'inventory of 1000 functions',
  run: async ({ quick, tree }) => {
    const roots = await tree(1000);
    const clock = realClock();
    using kernel = Object.assign(new LinuxKernel({ clock, log: silentLog, roots, udevadm: null }), {
      [Symbol.dispose]: () => kernel.close(),
    });
    const calls: Call[] = [];
    const found = await createHost({
      kernel: recorded(kernel, calls),
      clock,
      log: silentLog,
    }).inventory();
    if (found.functions.length !== 1000 || found.unreadable.length > 0)
      throw new Error(
        `${found.functions.length} functions and ${found.unreadable.length} problems`,
      );
    const bareCalls = calls.map(({ kind, path }) => ({ kind, path: below(roots, path) }));
    const host = createHost({ kernel, clock, log: silentLog });
    const samples: number[] = [];
    const floors: number[] = [];
    for (let round = 0; round < (quick ? 5 : 31); round++) {
      floors.push(await timed(() => bareCalls.forEach(makeBare)));
      samples.push(await timed(() => host.inventory()));
    }
    return [
      {
        ...{ name: 'inventory of 1000 functions', value: median(samples), unit: 'ms' },
        floor: { what: 'the same calls, bare', value: median(floors) },
        target: { of: 'ratio', max: 3 },
        how: `median of ${samples.length}; ${calls.length} calls, of lanes those that may block`,
      },
    ];
  },
};
