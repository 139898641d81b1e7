// A member of a group that is no PCI function (an AMD fTPM, for example): a name, a bus, a driver.
import type { Group } from './group.ts';

/** A device of the platform or another bus. Its driver never changes in the model. */
export class PlatformDevice {
  readonly kind = 'platform';
  readonly name: string;
  readonly bus: string;
  readonly driverName: string | null;
  group: Group | null = null;

  constructor(facts: { name: string; bus: string; driver: string | null }) {
    this.name = facts.name;
    this.bus = facts.bus;
    this.driverName = facts.driver;
  }

  /** Absolute path of its folder. */
  get path(): string {
    return `/sys/devices/${this.bus === 'platform' ? 'platform' : `LNXSYSTM:00/LNXSYBUS:00`}/${this.name}`;
  }
}
