// CDI specs as data: one spec with one device for each group that is out (Container Device Interface
// specification, specs-go v1.1.0). Pure; cdi-files.ts writes them.
import type { PciAddress } from '../pci/address.ts';
import type { ResourceName } from '../policy/policy.ts';

/** One device node that the runtime makes in the container. */
export interface CdiNode {
  /** Path in the container: `/dev/vfio/17`. */
  readonly path: string;
  /** Path on the host, when it is not the same: the node lives under another root. */
  readonly hostPath: string | null;
  /** Numbers of the character device; with them the runtime needs no file on the host. Null: it looks. */
  readonly numbers: { readonly major: number; readonly minor: number } | null;
}

/** Owner and mode of the nodes in the container; null leaves them as on the host. */
export interface CdiNodeOwner {
  readonly uid: number;
  readonly gid: number;
  /** File mode bits (0o660). */
  readonly mode: number;
}

/** What one spec is made from. */
export interface CdiOrder {
  readonly resource: ResourceName;
  readonly leader: PciAddress;
  readonly nodes: readonly CdiNode[];
  readonly owner: CdiNodeOwner | null;
  /** More environment for containers of this group, beside what Allocate answered. */
  readonly env: Readonly<Record<string, string>>;
}

interface CdiDeviceNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly type: 'c';
  readonly major?: number;
  readonly minor?: number;
  readonly permissions: 'rwm';
  readonly uid?: number;
  readonly gid?: number;
  readonly fileMode?: number;
}

/** A CDI spec of one group. */
export interface CdiSpec {
  readonly cdiVersion: string;
  readonly kind: string;
  readonly devices: readonly [
    {
      readonly name: string;
      readonly containerEdits: {
        readonly env?: readonly string[];
        readonly deviceNodes: readonly CdiDeviceNode[];
      };
    },
  ];
}

/**
 * A resource name as a CDI kind: vendor and class must start with a letter, so a part that starts with a
 * digit gets an `x` before it. Everything else that a resource name may hold is legal in a kind.
 */
export function cdiKind(resource: ResourceName): string {
  return resource
    .split('/')
    .map((part) => (/^[A-Za-z]/.test(part) ? part : `x${part}`))
    .join('/');
}

/** The qualified name of a group's device: `kind=leader`. Stable over reboots and renumbering. */
export function cdiDeviceName(resource: ResourceName, leader: PciAddress): string {
  return `${cdiKind(resource)}=${leader}`;
}

/**
 * The spec of one group. The version is the oldest that allows what is in it, because a runtime refuses
 * one that is newer than it knows: 0.5.0 for a device name that starts with a digit (and for hostPath),
 * 0.6.0 for a dot in the class.
 */
export function cdiSpec(order: CdiOrder): CdiSpec {
  const kind = cdiKind(order.resource);
  const env = Object.entries(order.env).map(([name, value]) => `${name}=${value}`);
  return {
    cdiVersion: kind.slice(kind.indexOf('/') + 1).includes('.') ? '0.6.0' : '0.5.0',
    kind,
    devices: [
      {
        name: order.leader,
        containerEdits: {
          ...(env.length === 0 ? {} : { env }),
          deviceNodes: order.nodes.map((node) => deviceNode(node, order.owner)),
        },
      },
    ],
  };
}

function deviceNode(node: CdiNode, owner: CdiNodeOwner | null): CdiDeviceNode {
  return {
    path: node.path,
    ...(node.hostPath === null || node.hostPath === node.path ? {} : { hostPath: node.hostPath }),
    type: 'c',
    ...(node.numbers === null ? {} : { major: node.numbers.major, minor: node.numbers.minor }),
    permissions: 'rwm',
    ...(owner === null ? {} : { uid: owner.uid, gid: owner.gid, fileMode: owner.mode }),
  };
}

/**
 * Container path of a host node: what follows `deviceRoot` (`/run/x` + `/dev/vfio/17`); null when the
 * node is not below it. "" is the host's own root.
 */
export function containerPathOf(hostPath: string, deviceRoot: string): string | null {
  if (!hostPath.startsWith(`${deviceRoot}/`)) return null;
  return hostPath.slice(deviceRoot.length);
}
