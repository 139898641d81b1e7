// An open file (struct file): what it stands for, and how many hold it.
import type { Container } from './container.ts';
import type { IommufdContext } from './iommufd.ts';
import type { VfioDevice, VfioGroup } from './vfio-device.ts';

/** What an open file is. */
export type FileKind =
  | { readonly kind: 'container'; readonly container: Container }
  | { readonly kind: 'group'; readonly group: VfioGroup }
  | {
      readonly kind: 'device';
      readonly device: VfioDevice;
      /** Opened by GET_DEVICE_FD, or as /dev/vfio/devices/vfioN. */
      readonly via: 'group' | 'cdev';
      /** Context the device is bound to (device files), or the group's at opening. */
      iommufd: IommufdContext | null;
      /** The file may use the hardware: opened by group, or bound. */
      granted: boolean;
    }
  | { readonly kind: 'iommufd'; readonly context: IommufdContext }
  | { readonly kind: 'other' };

/** struct file. */
export class OpenFile {
  readonly what: FileKind;
  /** What the link in /proc/PID/fd says. */
  readonly target: string;
  readonly #release: (() => void) | null;
  #references = 1;

  constructor(what: FileKind, target: string, release: (() => void) | null) {
    this.what = what;
    this.target = target;
    this.#release = release;
  }

  /** One more holder (fork, or an open device pinning its group). */
  get(): void {
    this.#references += 1;
  }

  /** One holder less; the last one releases it. */
  put(): void {
    this.#references -= 1;
    if (this.#references === 0) this.#release?.();
  }
}
