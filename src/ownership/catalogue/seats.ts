// Uses by the people and programs at the machine: display, sound, USB, consoles. Entries of the blocker catalogue.
import type { HostUseKind } from '../use.ts';
import type { BlockerEntry } from './entry.ts';

/** Uses by the people and programs at the machine: display, sound, USB, consoles. */
export const seatsBlockers = {
  BootDisplay: {
    says: 'is the boot display ({})',
    remedy: 'Never released. Choose another primary display in the firmware.',
    waivable: false,
  },
  FramebufferConsole: {
    says: 'shows the system console ({})',
    remedy: 'Never released. Move the console to a serial port or another display.',
    waivable: false,
  },
  DisplayClient: {
    says: 'is used by display clients ({})',
    remedy: 'Stop the display server and other users of this GPU.',
    waivable: true,
  },
  GpuComputeClient: {
    says: 'is used by compute clients ({})',
    remedy:
      'Stop the holders (nvidia-persistenced, dcgm, ROCm programs) before the driver can let go.',
    waivable: true,
  },
  SoundInUse: {
    says: 'is playing or recording ({})',
    remedy: 'Stop the program that uses the sound card.',
    waivable: true,
  },
  UsbInput: {
    says: 'has a keyboard or mouse behind it ({})',
    remedy: 'Plug the input device into another controller.',
    waivable: true,
  },
  UsbStorage: {
    says: 'has USB storage behind it ({})',
    remedy: 'Unplug the storage device.',
    waivable: true,
  },
  UsbNetwork: {
    says: 'has a USB network adapter behind it ({})',
    remedy: 'Plug the adapter into another controller.',
    waivable: true,
  },
  UsbSerial: {
    says: 'has a USB serial port behind it ({})',
    remedy: 'Plug the serial adapter into another controller.',
    waivable: true,
  },
  SystemConsole: {
    says: 'is a system console ({})',
    remedy: 'Never released. Take the console off this port (console= on the kernel command line).',
    waivable: false,
  },
  SerialPortOpen: {
    says: 'has a serial port open in a process ({})',
    remedy: 'Stop the program that holds the port.',
    waivable: true,
  },
} as const satisfies Partial<Record<HostUseKind, BlockerEntry>>;
