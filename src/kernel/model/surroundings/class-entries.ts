// Files in the folders of other class and bus devices: NVMe, displays, USB, sound, serial lines, watchdogs
// and the rest. Each function answers for one subsystem.
import type { Machine } from '../machine.ts';
import type { ChildDevice } from '../objects/child-device.ts';
import { dir } from '../tree.ts';
import type { VDir } from '../vfs.ts';
import { attribute, attributes, linkTo } from './files.ts';
import { activeConsoles } from './proc-kernel.ts';

/** The subsystem that a controller's namespaces are gathered in. */
function subsystemOf(controller: ChildDevice): string {
  const shared = controller.function?.spec.children.nvmeSubsystem ?? null;
  return shared ?? `nvme-subsys${controller.name.slice('nvme'.length)}`;
}

function nvmeSubsystem(machine: Machine, child: ChildDevice): VDir {
  const controllers = machine.children
    .of('nvme')
    .filter((controller) => subsystemOf(controller) === child.name);
  const links = controllers.map((controller) => [
    controller.name,
    linkTo(child.path, controller.path),
  ]);
  return dir({
    ...Object.fromEntries(links),
    ...attributes({
      subsysnqn: `nqn.2019-08.org.qemu:${child.name}`,
      model: 'NVMe',
      iopolicy: 'numa',
    }),
  });
}

function nvme(child: ChildDevice): VDir {
  const number = Number(child.name.slice('nvme'.length));
  return dir(
    attributes({ cntlid: number, model: 'NVMe', serial: `S${number}`, firmware_rev: '1.0' }),
  );
}

/** Cards, render nodes and connectors alike. */
function drm(child: ChildDevice): VDir | null {
  if (child.facts.kind !== 'connector') return null;
  const status = (): string => (child.facts.kind === 'connector' ? child.facts.status : 'unknown');
  const on = (): boolean => status() === 'connected';
  return dir({
    status: attribute(status),
    enabled: attribute(() => (on() ? 'enabled' : 'disabled')),
    dpms: attribute(() => (on() ? 'On' : 'Off')),
    modes: attribute(() => (on() ? '1920x1080' : '')),
  });
}

function graphics(child: ChildDevice): VDir {
  const driver = child.function?.driver?.name ?? 'simple';
  return dir(attributes({ name: `${driver}drmfb`, bits_per_pixel: 32, virtual_size: '1920,1080' }));
}

function vtconsole(machine: Machine, child: ChildDevice): VDir {
  const framebuffer = (): boolean =>
    machine.children.of('graphics').some(({ name }) => /^fb\d+$/.test(name));
  // vtcon0 is the dummy or VGA console that fbcon takes over from.
  return child.name === 'vtcon0'
    ? dir({
        name: attribute(() => '(S) dummy device'),
        bind: attribute(() => (framebuffer() ? 0 : 1)),
      })
    : dir({
        name: attribute(() => '(M) frame buffer device'),
        bind: attribute(() => (framebuffer() ? 1 : 0)),
      });
}

function usb(child: ChildDevice): VDir | null {
  const { facts } = child;
  if (facts.kind === 'usb-interface') {
    const [cls = '00', sub = '00', protocol = '00'] = facts.classes.split('/');
    return dir(
      attributes({
        bInterfaceClass: cls,
        bInterfaceSubClass: sub,
        bInterfaceProtocol: protocol,
        bInterfaceNumber: `0${child.name.at(-1)}`,
        bAlternateSetting: ' 0',
        bNumEndpoints: '01',
      }),
    );
  }
  const hub = facts.kind !== 'usb';
  return dir(
    attributes({
      idVendor: hub ? '1d6b' : '046d',
      idProduct: hub ? '0002' : 'c31c',
      bDeviceClass: hub ? '09' : '00',
      bNumConfigurations: 1,
      busnum: Number(/^(?:usb)?(\d+)/.exec(child.name)?.[1] ?? 1),
      speed: 480,
      authorized: 1,
      ...(hub ? { product: 'xHCI Host Controller' } : {}),
    }),
  );
}

function sound(child: ChildDevice): VDir | null {
  if (child.facts.kind !== 'sound') return null;
  return dir(attributes({ id: `card${child.facts.card}`, number: child.facts.card }));
}

function tty(machine: Machine, child: ChildDevice): VDir | null {
  if (child.name === 'console') return dir({ active: attribute(() => activeConsoles(machine)) });
  if (child.facts.kind !== 'serial') return null;
  const isConsole = child.facts.console || machine.spec.consoles.includes(child.name);
  return dir(attributes({ console: isConsole ? 'Y' : 'N', type: 4, irq: 4 }));
}

function watchdog(child: ChildDevice): VDir | null {
  return dir({
    state: attribute(() => (child.facts.kind === 'watchdog' ? child.facts.state : 'inactive')),
    ...attributes({ identity: 'iTCO_wdt', nowayout: 0, timeout: 30, bootstatus: 0 }),
  });
}

function dma(child: ChildDevice): VDir | null {
  return dir({
    in_use: attribute(() => (child.facts.kind === 'dma' && child.facts.inUse ? 1 : 0)),
    ...attributes({ bytes_transferred: 0, memcpy_count: 0 }),
  });
}

function infiniband(child: ChildDevice): VDir {
  return dir({
    ...attributes({ node_type: '1: CA', fw_ver: '22.41.1000', node_desc: child.name }),
    ports: dir({ '1': dir(attributes({ state: '4: ACTIVE', link_layer: 'Ethernet' })) }),
  });
}

/** Hangs the entries of every subsystem into the machine's surface. */
export function addClassEntries(machine: Machine): void {
  const { surface } = machine;
  surface.childEntries('nvme', nvme);
  surface.childEntries('nvme-subsystem', (child) => nvmeSubsystem(machine, child));
  surface.childEntries('drm', drm);
  surface.childEntries('graphics', (child) =>
    /^fb\d+$/.test(child.name) ? graphics(child) : null,
  );
  surface.childEntries('vtconsole', (child) => vtconsole(machine, child));
  surface.childEntries('usb', usb);
  surface.childEntries('sound', sound);
  surface.childEntries('tty', (child) => tty(machine, child));
  surface.childEntries('watchdog', watchdog);
  surface.childEntries('dma', dma);
  surface.childEntries('infiniband', infiniband);
  surface.childEntries('tpm', () => dir(attributes({ tpm_version_major: 2 })));
  surface.childEntries('uio', (child) => dir(attributes({ name: child.name, version: '0.01' })));
}
