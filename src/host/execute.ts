// One step of a plan: is it needed, one write, read back, and what came of it as data. A write that succeeds
// proves nothing by itself; only what is read afterwards does. Devices of other buses are never written.
import { assert, assertNever } from '../base/assert.ts';
import type { Known } from '../base/known.ts';
import type { KernelFs, Settled } from '../kernel/fs.ts';
import type { Step, StepOutcome } from '../ownership/step.ts';
import type { Evidence } from '../ownership/use.ts';
import { isPciAddress, type PciAddress } from '../pci/address.ts';
import {
  hasVfioDevice,
  isVfioDriver,
  readDriver,
  readHoldingDriver,
  readOverride,
} from './binding.ts';
import { errnoMeaning } from './errno-meaning.ts';
import { devicesFolder } from './function-reader.ts';
import { isAbsent, readNames, shown } from './reading.ts';

type Failed = Extract<StepOutcome, { kind: 'failed' }>;
/** A step is `needed`, or its outcome is known without a write. */
type Before = StepOutcome | { readonly kind: 'needed' };
interface Write {
  readonly path: string;
  readonly data: string;
}

const done: StepOutcome = { kind: 'done' };
const needed: Before = { kind: 'needed' };
const unneeded: StepOutcome = { kind: 'unneeded' };

/** Executes `step`. Idempotent: repeating one that hangs joins it in the kernel. `deadlineMs`: before `pending`. */
export async function executeStep(
  kernel: KernelFs,
  step: Step,
  deadlineMs: number,
): Promise<StepOutcome> {
  const write = writeOf(step);
  const before = await lookBefore(kernel, step);
  if (before.kind !== 'needed') return before;
  const outcome = await kernel.write(write.path, write.data, { deadlineMs });
  if (outcome.kind !== 'pending') return lookAfter(kernel, step, write, outcome);
  return {
    kind: 'pending',
    settles: outcome.settles.then((settled) => lookAfter(kernel, step, write, settled)),
  };
}

function writeOf(step: Step): Write {
  assert(
    isPciAddress(step.address),
    `${step.address} is no PCI address: other buses are not written`,
  );
  const device = `${devicesFolder}/${step.address}`;
  switch (step.kind) {
    case 'SetOverride':
      assert(
        step.override === null || isDriverName(step.override),
        `no driver name: ${step.override}`,
      );
      return { path: `${device}/driver_override`, data: step.override ?? '\n' };
    case 'Unbind':
    case 'Bind': {
      assert(isDriverName(step.driver), `no driver name: ${step.driver}`);
      const file = step.kind === 'Unbind' ? 'unbind' : 'bind';
      return { path: `/sys/bus/pci/drivers/${step.driver}/${file}`, data: step.address };
    }
    case 'Probe':
      return { path: '/sys/bus/pci/drivers_probe', data: step.address };
    case 'Reset':
      return { path: `${device}/reset`, data: '1' };
    default:
      return assertNever(step, 'step');
  }
}

/** Names of drivers are folder names; driver_override is not trimmed, so a space would never match. */
function isDriverName(text: string): boolean {
  return /^[^\s/]{1,255}$/.test(text) && text !== '.' && text !== '..';
}

async function lookBefore(kernel: KernelFs, step: Step): Promise<Before> {
  switch (step.kind) {
    case 'SetOverride': {
      const now = await readOverride(kernel, step.address);
      return now.known && now.value === step.override ? unneeded : needed;
    }
    case 'Unbind':
      return beforeUnbind(kernel, step.address, step.driver);
    case 'Bind':
      return beforeBind(kernel, step.address, step.driver);
    case 'Probe':
      return step.expectDriver === null
        ? needed
        : beforeBind(kernel, step.address, step.expectDriver);
    case 'Reset':
      return needed;
    default:
      return assertNever(step, 'step');
  }
}

// The link goes when an unbind begins, so its absence does not prove that there is nothing to wait for. While the
// driver core still names a driver, writing again waits for the same device lock: it joins the unbind.
async function beforeUnbind(
  kernel: KernelFs,
  address: PciAddress,
  driver: string,
): Promise<Before> {
  const now = await readDriver(kernel, address);
  if (!now.known) return isAbsent(now) ? unneeded : needed;
  if (now.value === driver) return needed;
  if (now.value !== null) {
    return failed(
      address,
      null,
      `is bound to ${now.value}, not to ${driver}`,
      linkSays(address, now),
    );
  }
  const holding = await readHoldingDriver(kernel, address);
  return (holding.known && holding.value === null) || isAbsent(holding) ? unneeded : needed;
}

async function beforeBind(kernel: KernelFs, address: PciAddress, driver: string): Promise<Before> {
  const now = await readDriver(kernel, address);
  if (!now.known || now.value === null) return needed;
  if (now.value !== driver) {
    return failed(address, null, `is bound to ${now.value} already`, linkSays(address, now));
  }
  if (!isVfioDriver(driver)) return unneeded;
  const device = await hasVfioDevice(kernel, address);
  return device.known && device.value ? unneeded : needed;
}

async function lookAfter(
  kernel: KernelFs,
  step: Step,
  write: Write,
  settled: Settled<number>,
): Promise<StepOutcome> {
  if (settled.kind === 'errno') return afterRefusal(kernel, step, write, settled.errno);
  if (settled.value !== write.data.length) {
    const says = `${settled.value} of ${write.data.length} bytes taken`;
    return failed(step.address, null, 'the kernel did not take the whole write', {
      path: write.path,
      says,
    });
  }
  switch (step.kind) {
    case 'SetOverride':
      return afterOverride(kernel, step.address, step.override);
    case 'Unbind':
      return afterUnbind(kernel, step.address, step.driver);
    case 'Bind':
      return afterBind(kernel, step.address, step.driver);
    case 'Probe':
      return step.expectDriver === null ? done : afterBind(kernel, step.address, step.expectDriver);
    case 'Reset':
      return done;
    default:
      return assertNever(step, 'step');
  }
}

async function afterOverride(
  kernel: KernelFs,
  address: PciAddress,
  wanted: string | null,
): Promise<StepOutcome> {
  const now = await readOverride(kernel, address);
  if (now.known && now.value === wanted) return done;
  const path = `${devicesFolder}/${address}/driver_override`;
  const says = now.known ? shown(now.value ?? '(null)') : now.why;
  return failed(address, null, 'driver_override does not read back as written', { path, says });
}

async function afterUnbind(
  kernel: KernelFs,
  address: PciAddress,
  driver: string,
): Promise<StepOutcome> {
  const now = await readDriver(kernel, address);
  if ((now.known && now.value === null) || isAbsent(now)) return done;
  const what = now.known
    ? `was unbound from ${driver} and is bound to ${now.value} again`
    : 'cannot be read back';
  return failed(address, null, what, linkSays(address, now));
}

async function afterBind(
  kernel: KernelFs,
  address: PciAddress,
  driver: string,
): Promise<StepOutcome> {
  const now = await readDriver(kernel, address);
  if (!now.known || now.value !== driver) {
    const holding = await readHoldingDriver(kernel, address);
    const busy = holding.known && holding.value !== null && now.known && now.value === null;
    const why = busy ? `: an unbind from ${holding.value} is still going on` : '';
    return failed(
      address,
      null,
      `is not bound to ${driver} after the write${why}`,
      linkSays(address, now),
    );
  }
  if (!isVfioDriver(driver)) return done;
  const device = await hasVfioDevice(kernel, address);
  if (device.known && device.value) return done;
  const path = `${devicesFolder}/${address}/vfio-dev`;
  const says = device.known ? 'no VFIO device' : device.why;
  return failed(address, null, `is bound to ${driver} without a VFIO device`, { path, says });
}

// A refusal may still leave the device as wanted: someone else was quicker.
async function afterRefusal(
  kernel: KernelFs,
  step: Step,
  write: Write,
  errno: string,
): Promise<StepOutcome> {
  const driver = await readDriver(kernel, step.address);
  if (step.kind === 'Unbind' && errno === 'ENODEV' && driver.known && driver.value === null)
    return done;
  const wanted =
    step.kind === 'Bind' ? step.driver : step.kind === 'Probe' ? step.expectDriver : null;
  if (wanted !== null && errno === 'EBUSY' && driver.known && driver.value === wanted) {
    return afterBind(kernel, step.address, wanted);
  }
  const names = await readNames(kernel, `${devicesFolder}/${step.address}`);
  const hasVirtualFunctions = names.known && names.value.includes('virtfn0');
  const meaning = errnoMeaning(step, errno, { driver, hasVirtualFunctions });
  return failed(step.address, errno, `${meaning} (${errno})`, { path: write.path, says: errno });
}

function linkSays(address: PciAddress, driver: Known<string | null>): Evidence {
  const says = driver.known ? (driver.value ?? 'no driver') : driver.why;
  return { path: `${devicesFolder}/${address}/driver`, says };
}

function failed(
  address: PciAddress,
  errno: string | null,
  what: string,
  evidence: Evidence,
): Failed {
  return { kind: 'failed', errno, message: `${address}: ${what}`, evidence };
}
