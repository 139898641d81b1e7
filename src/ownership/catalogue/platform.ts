// Services of the platform, virtualisation, and what could not be found out. Entries of the blocker catalogue.
import type { HostUseKind } from '../use.ts';
import type { BlockerEntry } from './entry.ts';

/** Services of the platform, virtualisation, and what could not be found out. */
export const platformBlockers = {
  TpmInUse: {
    says: 'is a TPM ({})',
    remedy: 'Leave this device out of the policy, or disable the TPM driver.',
    waivable: true,
  },
  CryptoInUse: {
    says: 'offers crypto services that are in use ({})',
    remedy: 'Stop the users of the accelerator or of the security processor.',
    waivable: true,
  },
  DmaEngineInUse: {
    says: 'has DMA channels in use ({})',
    remedy: 'Unload the users of the DMA engine.',
    waivable: true,
  },
  WatchdogActive: {
    says: 'is a running watchdog ({})',
    remedy: 'Never take a running watchdog: stop it first, or the machine resets.',
    waivable: true,
  },
  IpmiInUse: {
    says: 'is the management controller interface ({})',
    remedy: 'Leave this device out of the policy.',
    waivable: true,
  },
  SystemBus: {
    says: 'is part of the platform itself ({})',
    remedy: 'Leave it out of the policy; a group with it cannot be given away.',
    waivable: true,
  },
  PeerMemoryPublished: {
    says: 'has published memory that peers use ({})',
    remedy: 'Stop the users of its peer-to-peer memory.',
    waivable: true,
  },
  VirtualFunctionsExist: {
    says: 'is a physical function with virtual functions ({})',
    remedy: 'Remove its virtual functions first (sriov_numvfs = 0).',
    waivable: false,
  },
  ForeignVfioUser: {
    says: 'is in use through VFIO by somebody else ({})',
    remedy: 'Stop the virtual machine or program that holds it.',
    waivable: false,
  },
  ForeignUioUser: {
    says: 'is in use through UIO ({})',
    remedy: 'Stop the program that holds /dev/uio.',
    waivable: true,
  },
  MediatedDevices: {
    says: 'has mediated devices ({})',
    remedy: 'Remove its mediated devices.',
    waivable: true,
  },
  VdpaDevices: {
    says: 'has vDPA devices ({})',
    remedy: 'Remove its vDPA devices.',
    waivable: true,
  },
  UnknownUse: {
    says: 'may be in use: it cannot be found out ({})',
    remedy:
      'Let the agent read what it names (host PID namespace, /proc, /sys mounted from the host).',
    waivable: false,
  },
} as const satisfies Partial<Record<HostUseKind, BlockerEntry>>;
