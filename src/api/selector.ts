// Device selectors and node owners as users write them.
import * as z from 'zod';
import { addressGlobProblem, addressGlobRules } from './address-glob.ts';
import { strict, text, textThat, wholeNumber } from './forms.ts';
import { ruled } from './rules.ts';

const hexId = (what: string): z.ZodString =>
  text(
    `${what}: four lower-case hex digits without 0x, in quotes, for example "10de"`,
    /^[0-9a-f]{4}$/,
    64,
  );

const fields = {
  vendor: hexId('a PCI vendor id').optional(),
  device: hexId('a PCI device id').optional(),
  subsystemVendor: hexId('a PCI subsystem vendor id').optional(),
  subsystemDevice: hexId('a PCI subsystem device id').optional(),
  class: text(
    'the beginning of a PCI class code: two, four or six lower-case hex digits, for example "0300"',
    /^([0-9a-f]{2}){1,3}$/,
    64,
  ).optional(),
  address: ruled(
    textThat('a PCI address or a glob over one, for example "0000:65:*"', 64, addressGlobProblem),
    addressGlobRules,
  ).optional(),
  slot: text(
    'a slot: a PCI address without its function, for example "0000:65:00"',
    /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]$/,
    64,
  ).optional(),
  driver: text(
    'the name of a driver in /sys/bus/pci/drivers',
    /^[^/\s\p{Cc}][^/\p{Cc}]{0,63}$/u,
    64,
  ).optional(),
  physicalFunction: text(
    'a PCI address (dddd:bb:dd.f, lower case), for example "0000:65:00.0"',
    /^[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]$/,
    64,
  )
    .describe('address of the physical function whose virtual functions are meant')
    .optional(),
  numaNode: wholeNumber('a NUMA node', { min: 0, max: 1023 }).optional(),
};

const empty =
  'is empty and would fit nothing; must have at least one field, for example vendor: "10de"';

const notEmpty = z.superRefine<object>((selector, context) => {
  // With unknown or wrong fields in it, those are what has to be told.
  if (context.issues.length > 0 || Object.keys(selector).length > 0) return;
  context.addIssue({ code: 'custom', message: empty });
});

/** One selector: fields are ANDed, and at least one is needed. */
export const deviceSelectorSchema = ruled(
  strict(fields).check(notEmpty).describe('functions for which every given field holds'),
  [
    {
      rule: Object.keys(fields)
        .map((field) => `has(self.${field})`)
        .join(' || '),
      message: empty,
    },
  ],
);

const anyId = { min: 0, max: 4_294_967_294 } as const;

/** Owner and mode of the device nodes inside the container. */
export const nodeOwnerSchema = strict({
  uid: wholeNumber('a user id', anyId).default(0),
  gid: wholeNumber('a group id', anyId).default(0),
  // A text, because YAML 1.1 reads 0660 as octal and YAML 1.2 as six hundred and sixty.
  mode: text('a file mode: octal digits in quotes, for example "0660"', /^0?[0-7]{3}$/, 64).default(
    '0660',
  ),
}).describe('owner and mode of the device nodes inside the container; needs delivery by CDI');
