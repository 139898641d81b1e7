// What the tests of the model share: a machine on virtual time, and short ways to act on it.
import assert from 'node:assert/strict';
import { VirtualClock, advance } from '../../../src/base/virtual-clock.ts';
import type { Outcome, Settled } from '../../../src/kernel/fs.ts';
import { KernelModel } from '../../../src/kernel/model/kernel-model.ts';
import type { Returned } from '../../../src/kernel/model/operations/returned.ts';
import type { KernelProfile, MachineSpec } from '../../../src/kernel/model/spec.ts';
import { parsePciAddress, type PciAddress } from '../../../src/pci/address.ts';
import { transcriptMachine, type Variant } from '../../play/machine.ts';

const drain = (): Promise<void> =>
  new Promise((go) => {
    setImmediate(go);
  });

/** Longer than any driver takes, shorter than any deadline in these tests. */
const settleMs = 1500;
const deadlineMs = 1_000_000;

/** An address that must be one. */
export function at(text: string): PciAddress {
  const parsed = parsePciAddress(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
}

/** A call that was started; `now` is its answer, or null while it is in the kernel. */
export interface Started<T> {
  now: Settled<T> | null;
}

/** A process that uses VFIO; every step's answer is text: a number, or the errno. */
export class User {
  readonly #bench: Bench;
  readonly pid: number;
  readonly #files = new Map<string, number>();

  constructor(bench: Bench) {
    this.#bench = bench;
    this.pid = bench.model.control.spawnProcess('qemu');
  }

  #keep(name: string, result: Returned): string {
    if (result.ok) this.#files.set(name, result.value);
    return result.ok ? 'OK' : result.errno;
  }

  #fd(name: string): number {
    return this.#files.get(name) ?? -1;
  }

  open(name: string, path: string): string {
    return this.#keep(name, this.#bench.model.control.openFile(this.pid, path));
  }

  close(name: string): string {
    return this.#keep('', this.#bench.model.control.closeFile(this.pid, this.#fd(name)));
  }

  setContainer(group: string, container: string): string {
    const { control } = this.#bench.model;
    return this.#keep('', control.setContainer(this.pid, this.#fd(group), this.#fd(container)));
  }

  unset(group: string): string {
    return this.#keep('', this.#bench.model.control.unsetContainer(this.pid, this.#fd(group)));
  }

  setIommu(container: string, type = 1): string {
    return this.#keep('', this.#bench.model.control.setIommu(this.pid, this.#fd(container), type));
  }

  device(name: string, group: string, address: string): string {
    const { control } = this.#bench.model;
    return this.#keep(name, control.getDeviceFd(this.pid, this.#fd(group), address));
  }

  bind(device: string, iommufd: string): string {
    const { control } = this.#bench.model;
    return this.#keep('', control.bindIommufd(this.pid, this.#fd(device), this.#fd(iommufd)));
  }

  reset(device: string): string {
    return this.#keep('', this.#bench.model.control.deviceReset(this.pid, this.#fd(device)));
  }

  /** `VIABLE`, `!viable`, with CONTAINER_SET after it, or the errno. */
  status(group: string): string {
    const status = this.#bench.model.control.groupStatus(this.pid, this.#fd(group));
    if (typeof status === 'string') return status;
    return `${status.viable ? 'VIABLE' : '!viable'}${status.containerSet ? ' CONTAINER_SET' : ''}`;
  }

  /** Container, group, backend and one device, the usual way; all must succeed. */
  take(group: number | string, address: string): void {
    assert.equal(this.open('c', '/dev/vfio/vfio'), 'OK');
    assert.equal(this.open('g', `/dev/vfio/${group}`), 'OK');
    assert.equal(this.setContainer('g', 'c'), 'OK');
    assert.equal(this.setIommu('c'), 'OK');
    assert.equal(this.device('d', 'g', address), 'OK');
  }
}

/** A machine under test. */
export class Bench {
  readonly clock = new VirtualClock();
  readonly model: KernelModel;
  readonly #events;

  constructor(spec: MachineSpec) {
    this.model = new KernelModel({ spec, clock: this.clock });
    this.#events = this.model.control.subscribeUevents(10_000);
  }

  /** The machine of the transcripts. */
  static of(
    profile: KernelProfile,
    variant: Variant = 'acpi-hotplug',
    change: Partial<MachineSpec> = {},
  ): Bench {
    return new Bench({ ...transcriptMachine(profile, variant), ...change });
  }

  /** Lets virtual time pass. */
  async pass(ms: number): Promise<void> {
    await advance(this.clock, ms, drain);
    await drain();
  }

  /** Starts a call and lets time pass; `now` stays null while it sleeps in the kernel. */
  async start<T>(call: Promise<Outcome<T>>, ms = settleMs): Promise<Started<T>> {
    const started: Started<T> = { now: null };
    void call.then((outcome) => {
      if (outcome.kind !== 'pending') started.now = outcome;
    });
    await this.pass(ms);
    return started;
  }

  /** What a write came to: OK, an errno, or `blocked`. */
  async write(path: string, data: string): Promise<string> {
    return said(await this.startWrite(path, data), 'OK');
  }

  /** Starts a write. */
  startWrite(path: string, data: string): Promise<Started<number>> {
    return this.start(this.model.write(path, data, { deadlineMs }));
  }

  /** What a read came to: its text without the last newline, an errno, or `blocked`. */
  async read(path: string): Promise<string> {
    const started = await this.start(this.model.read(path, { deadlineMs }));
    if (started.now?.kind !== 'value') return said(started, '');
    return new TextDecoder().decode(started.now.value).replace(/\n$/, '');
  }

  /** Basename of a link, or the errno. */
  async link(path: string): Promise<string> {
    const outcome = await this.model.readLink(path);
    assert.notEqual(outcome.kind, 'pending');
    if (outcome.kind === 'errno') return outcome.errno;
    return outcome.kind === 'value' ? outcome.value.replace(/^.*\//, '') : '';
  }

  /** Names in a folder, sorted, or the errno. */
  async names(path: string): Promise<readonly string[] | string> {
    const outcome = await this.model.list(path);
    if (outcome.kind === 'errno') return outcome.errno;
    return outcome.kind === 'value' ? [...outcome.value].sort() : 'pending';
  }

  driver(address: string): Promise<string> {
    return this.link(`${device(address)}/driver`);
  }

  override(address: string, name: string): Promise<string> {
    return this.write(`${device(address)}/driver_override`, name);
  }

  bind(driver: string, address: string): Promise<string> {
    return this.write(`/sys/bus/pci/drivers/${driver}/bind`, address);
  }

  unbind(driver: string, address: string): Promise<string> {
    return this.write(`/sys/bus/pci/drivers/${driver}/unbind`, address);
  }

  probe(address: string): Promise<string> {
    return this.write('/sys/bus/pci/drivers_probe', address);
  }

  /** Override, unbind, probe: the usual way to VFIO. */
  async toVfio(address: string): Promise<void> {
    assert.equal(await this.override(address, 'vfio-pci'), 'OK');
    const native = await this.driver(address);
    if (native !== 'ENOENT') assert.equal(await this.unbind(native, address), 'OK');
    assert.equal(await this.probe(address), 'OK');
    assert.equal(await this.driver(address), 'vfio-pci');
  }

  /** Events since the last question, as `action@devpath`. */
  events(): readonly string[] {
    return this.#events.take().map(({ action, devpath }) => `${action}@${devpath}`);
  }
}

/** Folder of a function. */
export function device(address: string): string {
  return `/sys/bus/pci/devices/${address}`;
}

/** What a call came to, in one word. */
export function said<T>({ now }: Started<T>, success: string): string {
  if (now === null) return 'blocked';
  return now.kind === 'errno' ? now.errno : success;
}
