// A test machine with a host system on it: pid 1, its mounts and network, and what a close look tells of one group.
import { createHost } from '../../src/host/create-host.ts';
import { silentLog } from '../../src/base/log.ts';
import type { GroupLook } from '../../src/ownership/look.ts';
import {
  at,
  type FunctionFixture,
  link,
  realClock,
  type TestMachine,
  testMachines,
  type Tree,
} from './machine.ts';

/** The function that the tests of uses are about. */
export const target = '0000:02:00.0';
/** Its folder from below a class or bus folder (`/sys/class/x/NAME` → this). */
export const place = `../../devices/pci0000:00/${target}`;
/** The same from a bus' `devices` folder, one level deeper. */
export const busPlace = `../${place}`;
/** Cannot be read: a link to itself. */
export const broken = link('self-loop');

/** One process of the machine. */
export interface ProcessFixture {
  readonly comm?: string;
  /** Targets of its descriptors 3, 4, … */
  readonly files?: readonly string[];
  readonly mountNamespace?: number;
  readonly mountinfo?: string;
}

/** The /proc folder of a process. */
export function processTree(pid: number, fixture: ProcessFixture = {}): Tree {
  const files = (fixture.files ?? []).map(
    (file, index) => [String(index + 3), link(file)] as const,
  );
  return {
    [`proc/${pid}`]: {
      comm: `${fixture.comm ?? 'program'}\n`,
      fd: { '0': link('/dev/null'), ...Object.fromEntries(files) },
      ns: {
        pid: link('pid:[4026531836]'),
        mnt: link(`mnt:[${fixture.mountNamespace ?? 4026531841}]`),
      },
      root: link('/'),
      mountinfo: fixture.mountinfo ?? '21 1 0:20 / /proc rw shared:5 - proc proc rw\n',
    },
  };
}

const swapHead = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
const routeHead =
  'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

/** Lines of /proc/swaps. */
export function swaps(...lines: readonly string[]): Tree {
  return { 'proc/swaps': swapHead + lines.map((line) => `${line}\n`).join('') };
}

/** Lines of /proc/1/net/route: interface, destination, gateway and mask in hex. */
export function routes(...lines: readonly (readonly [string, string, string, string])[]): Tree {
  const text = lines.map(
    ([iface, to, via, mask]) => `${iface}\t${to}\t${via}\t0003\t0\t0\t0\t${mask}\t0\t0\t0\n`,
  );
  return { 'proc/1/net/route': routeHead + text.join('') };
}

const quiet: Tree = {
  ...processTree(1, { comm: 'systemd' }),
  ...swaps(),
  ...routes(),
  'proc/1/net': { fib_trie: 'Main:\n', ipv6_route: '', if_inet6: '' },
};

/** Makes machines and looks at the group of the target. */
export function useTests(): (
  t: { after(fn: () => void): void },
  tree?: Tree,
  fixture?: Partial<FunctionFixture>,
) => Promise<GroupLook> {
  const newMachine = testMachines();
  return async (t, tree = {}, fixture = {}) => {
    const machine: TestMachine = newMachine(t);
    machine.add(quiet);
    machine.addFunction({ address: target, ...fixture });
    machine.add(tree);
    const host = createHost({
      kernel: machine.kernel,
      clock: realClock,
      log: silentLog,
      nodeAddresses: ['192.0.2.7', '2001:db8::7'],
    });
    const looks = await host.lookAt([at(target)]);
    const [look] = looks;
    if (look === undefined || looks.length !== 1) throw new Error(`${looks.length} looks`);
    return look;
  };
}

/** `Kind subject` of each use, sorted. */
export function said(look: GroupLook): readonly string[] {
  return look.uses.map((use) => `${use.kind} ${use.subject}`).sort();
}

/** Paths of the unknown uses. */
export function unknownPaths(look: GroupLook): readonly string[] {
  return look.uses.filter((use) => use.kind === 'UnknownUse').map((use) => use.evidence.path);
}
