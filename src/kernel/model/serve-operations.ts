// Every operation of the control service: users, the host, and here drivers, hardware, faults, reboot and what
// checkers ask. Each is the model's own control operation under its name, with its arguments checked.
import type { z } from 'zod';
import { faultForm, faultOf } from './serve-faults.ts';
import { operation, ranOr, type Operation } from './serve-operation.ts';
import { hostOperations } from './serve-operations-host.ts';
import { userOperations } from './serve-operations-users.ts';
import { bootIdOf } from './topology-defaults.ts';
import { deviceFromForm } from './topology-fill.ts';
import { deviceForm } from './topology-form.ts';
import * as scalar from './topology-scalars.ts';

const { address, flag, name } = scalar;
const group = scalar.whole(0, 1_000_000);

const hardwareOperations = {
  loadModule: operation(
    'Loads the module of a driver; it takes every free function that it matches.',
    { driver: name },
    async ({ model }, { driver }) => {
      await model.control.loadModule(driver);
      return { value: null };
    },
  ),
  unloadModule: operation(
    'Unloads the module of a driver.',
    { driver: name },
    async ({ model }, { driver }) => ranOr(await model.control.unloadModule(driver)),
  ),
  hotAdd: operation(
    'Plugs a function in; `device` has the form of an entry of `devices` in a topology file.',
    { address, device: deviceForm },
    async ({ model }, request) =>
      ranOr(await model.control.hotAdd(deviceFromForm(request.address, request.device))),
  ),
  hotRemove: operation(
    'Asks a function out; over when its users have left.',
    { address },
    async ({ model }, request) => ranOr(await model.control.hotRemove(request.address)),
  ),
  injectFault: operation(
    'Arms a fault; answers its number.',
    { fault: faultForm },
    ({ model, faults }, request) => {
      const number = faults.size === 0 ? 1 : Math.max(...faults.keys()) + 1;
      faults.set(number, model.control.inject(faultOf(request.fault)));
      return { value: number };
    },
  ),
  clearFault: operation(
    'Clears a fault; what hung goes on.',
    { number: scalar.whole(1, 1_000_000_000) },
    ({ faults }, { number }) => {
      const handle = faults.get(number);
      if (handle === undefined) return { errno: 'ENOENT' };
      handle.clear();
      faults.delete(number);
      return { value: null };
    },
  ),
  clearFaults: operation('Clears all faults.', {}, ({ model, faults }) => {
    model.control.clearFaults();
    faults.clear();
    return { value: null };
  }),
  listFaults: operation('Answers the armed faults.', {}, ({ model }) => ({
    value: model.machine.faults.list(),
  })),
  reboot: operation(
    'A power cycle: all processes, overrides and VFs are gone; group numbers may change.',
    {
      bootId: scalar
        .textOf(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'a UUID in lower case')
        .optional(),
      renumber: flag.optional(),
    },
    ({ model }, { bootId, renumber }) => {
      // The next boot id follows from this one, so that a story plays the same every time.
      const next = bootId ?? bootIdOf(model.machine.bootId);
      model.reboot({ bootId: next, renumber: scalar.isOn(renumber, false) });
      return { value: next };
    },
  ),
} as const;

const truthOperations = {
  ownership: operation('Answers who has the DMA of a group.', { group }, ({ model }, request) => {
    const ownership = model.ownershipOf(request.group);
    return ownership === null ? { errno: 'ENOENT' } : { value: ownership };
  }),
  binding: operation('Answers where a function stands.', { address }, ({ model }, request) => {
    const binding = model.bindingOf(request.address);
    return binding === null ? { errno: 'ENODEV' } : { value: binding };
  }),
  openUses: operation('Answers every VFIO file that is open.', {}, ({ model }) => ({
    value: model.openUses(),
  })),
  kernelLog: operation('Answers the lines of the kernel log.', {}, ({ model }) => ({
    value: model.machine.logLines(),
  })),
} as const;

/** All operations by name. */
export const operations = {
  ...userOperations,
  ...hostOperations,
  ...hardwareOperations,
  ...truthOperations,
} as const;

/** Name of an operation. */
export type OperationName = keyof typeof operations;

/** What each operation is given. */
export type OperationArguments = {
  readonly [Name in OperationName]: (typeof operations)[Name] extends Operation<infer Form>
    ? z.input<Form>
    : never;
};
