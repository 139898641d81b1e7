// Uses of network devices by the host. Entries of the blocker catalogue.
import type { HostUseKind } from '../use.ts';
import type { BlockerEntry } from './entry.ts';

/** Uses of network devices by the host. */
export const networkBlockers = {
  NetworkDefaultRoute: {
    says: 'carries a default route of this node ({})',
    remedy:
      'Never released. Leave this device out of the policy, or move the default route for good.',
    waivable: false,
  },
  NodeAddress: {
    says: "carries this node's address ({})",
    remedy: 'Never released. Leave this device out of the policy.',
    waivable: false,
  },
  NetworkAddress: {
    says: 'has an address configured ({})',
    remedy: 'Remove the address and whatever configures it (NetworkManager, systemd-networkd).',
    waivable: true,
  },
  NetworkInterfaceUp: {
    says: 'has an interface that is up ({})',
    remedy:
      'Set the interface down (ip link set down) and keep the network configuration from raising it.',
    waivable: true,
  },
  NetworkLowerDevice: {
    says: 'is used by another network device ({})',
    remedy: 'Take it out of the bond, bridge or team, or remove the VLANs on it.',
    waivable: true,
  },
  NetworkInOtherNamespace: {
    says: 'has lent its interface to another network namespace ({})',
    remedy: 'Wait until the pod that has the interface is gone.',
    waivable: true,
  },
  RdmaInUse: {
    says: 'has RDMA users ({})',
    remedy: 'Stop the RDMA users and unload storage transports that use it.',
    waivable: true,
  },
} as const satisfies Partial<Record<HostUseKind, BlockerEntry>>;
