// Device selectors and node owners as users write them.
import type * as z from 'zod';
import { isPciAddress } from '../pci/address.ts';
import { globCanMatchAddress } from '../policy/glob.ts';
import { shown, strict, text, textThat, wholeNumber } from './forms.ts';

const hexId = (what: string): z.ZodString =>
  text(
    `${what}: four lower-case hex digits without 0x, in quotes, for example "10de"`,
    /^[0-9a-f]{4}$/,
  );

const addressGlob = textThat(
  'a PCI address or a glob over one, for example "0000:65:*"',
  (value) => {
    if (isPciAddress(value)) return null;
    const form =
      'must be a PCI address (dddd:bb:dd.f, lower case), where * stands for any text and ? for one character';
    const stray = /[^0-9a-f:.*?]/.exec(value)?.[0];
    if (stray !== undefined)
      return `is ${shown(value)}; ${JSON.stringify(stray)} is in no address; ${form}`;
    if (globCanMatchAddress(value)) return null;
    return `is ${shown(value)}, which fits no address; ${form}, for example "0000:65:*"`;
  },
);

const address = textThat('a PCI address, for example "0000:65:00.0"', (value) =>
  isPciAddress(value)
    ? null
    : `is ${shown(value)}; must be a PCI address (dddd:bb:dd.f, lower case)`,
);

/** One selector: fields are ANDed, and at least one is needed. */
export const deviceSelectorSchema = strict({
  vendor: hexId('a PCI vendor id').optional(),
  device: hexId('a PCI device id').optional(),
  subsystemVendor: hexId('a PCI subsystem vendor id').optional(),
  subsystemDevice: hexId('a PCI subsystem device id').optional(),
  class: text(
    'the beginning of a PCI class code: two, four or six lower-case hex digits, for example "0300"',
    /^([0-9a-f]{2}){1,3}$/,
  ).optional(),
  address: addressGlob.optional(),
  slot: text(
    'a slot: a PCI address without its function, for example "0000:65:00"',
    /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]$/,
  ).optional(),
  driver: text(
    'the name of a driver in /sys/bus/pci/drivers',
    /^[^/\s\p{Cc}][^/\p{Cc}]{0,63}$/u,
  ).optional(),
  physicalFunction: address
    .describe('address of the physical function whose VFs are meant')
    .optional(),
  numaNode: wholeNumber('a NUMA node', { min: 0, max: 1023 }).optional(),
}).check((context) => {
  // With unknown or wrong fields in it, those are what has to be told.
  if (context.issues.length > 0 || Object.keys(context.value).length > 0) return;
  const message =
    'is empty and would fit nothing; must have at least one field, for example vendor: "10de"';
  context.issues.push({ code: 'custom', input: context.value, message });
});

/** Owner and mode of the device nodes inside the container. */
export const nodeOwnerSchema = strict({
  uid: wholeNumber('a user id', { min: 0, max: 4_294_967_294 }).default(0),
  gid: wholeNumber('a group id', { min: 0, max: 4_294_967_294 }).default(0),
  // A text, because YAML 1.1 reads 0660 as octal and YAML 1.2 as six hundred and sixty.
  mode: text('a file mode: octal digits in quotes, for example "0660"', /^0?[0-7]{3}$/).default(
    '0660',
  ),
});
