// Operations of the administrator and his host: mounts, swap, interfaces, routes, streams, watchdogs.
import { operation, ranOr } from './serve-operation.ts';
import * as host from './surroundings/host-operations.ts';
import * as scalar from './topology-scalars.ts';

const { name, text } = scalar;
const block = name;

/** Without the fields that were not given. */
function given<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]: Exclude<Fields[Key], undefined> } {
  const left = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(left) as { [Key in keyof Fields]: Exclude<Fields[Key], undefined> };
}

/** By name. */
export const hostOperations = {
  mount: operation(
    "Mounts a disk (nvme0n1p1, dm-0) or another source, in a mount namespace (default: the host's).",
    {
      source: text,
      target: text,
      fsType: name,
      namespace: name.optional(),
      devno: scalar.devno.optional(),
    },
    ({ model }, request) => ranOr(host.mount(model.machine, given(request))),
  ),
  unmount: operation(
    'Takes away the last mount on a target.',
    { target: text, namespace: name.optional() },
    ({ model }, { target, namespace }) => ranOr(host.unmount(model.machine, target, namespace)),
  ),
  swapOn: operation('Swaps to a disk.', { block }, ({ model }, request) =>
    ranOr(host.swapOn(model.machine, request.block)),
  ),
  swapOff: operation('Stops swapping to a disk.', { block }, ({ model }, request) =>
    ranOr(host.swapOff(model.machine, request.block)),
  ),
  changeLink: operation(
    'Changes an interface: up, carrier, all its addresses, master, uppers; namespace "host" brings it back.',
    {
      name,
      up: scalar.flag.optional(),
      carrier: scalar.flag.optional(),
      addresses: scalar.listOf(scalar.cidr),
      master: name.nullable().optional(),
      uppers: scalar.listOf(name),
      namespace: name.optional(),
    },
    ({ model }, { name: link, up, carrier, namespace, ...rest }) => {
      const change = given({
        ...rest,
        up: up === undefined ? undefined : scalar.isOn(up, false),
        carrier: carrier === undefined ? undefined : scalar.isOn(carrier, false),
        namespace: namespace === 'host' ? null : namespace,
      });
      return ranOr(host.changeLink(model.machine, link, change));
    },
  ),
  addRoute: operation(
    'Adds a route of the host.',
    { destination: scalar.cidr, gateway: text.optional(), iface: name },
    ({ model }, { destination, gateway, iface }) =>
      ranOr(host.addRoute(model.machine, { destination, iface, gateway: gateway ?? null })),
  ),
  removeRoute: operation(
    'Takes a route away.',
    { destination: scalar.cidr, iface: name },
    ({ model }, { destination, iface }) =>
      ranOr(host.removeRoute(model.machine, destination, iface)),
  ),
  playSound: operation(
    'Opens streams (pcm0p) of a sound card; an empty list closes all.',
    { card: scalar.whole(0, 31), open: scalar.listOf(name) },
    ({ model }, { card, open }) => ranOr(host.playSound(model.machine, card, open ?? [])),
  ),
  setWatchdog: operation(
    'Starts or stops a watchdog.',
    { name, state: scalar.oneOf(['active', 'inactive'] as const) },
    ({ model }, request) => ranOr(host.setWatchdog(model.machine, request.name, request.state)),
  ),
  setConnector: operation(
    'Plugs a display in or out.',
    { name, status: scalar.oneOf(['connected', 'disconnected', 'unknown'] as const) },
    ({ model }, request) => ranOr(host.setConnector(model.machine, request.name, request.status)),
  ),
} as const;
