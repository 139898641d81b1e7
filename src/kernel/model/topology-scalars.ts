// The scalar forms of a topology file, each with the sentence that names what is allowed. Files are read
// without YAML's guessing (class 030000 stays text), so numbers and booleans are recognised here.
import * as z from 'zod';
import { isPciAddress, type PciAddress } from '../../pci/address.ts';

function shown(input: unknown): string {
  if (input === undefined) return 'is missing;';
  const text = JSON.stringify(input);
  return `is ${text.length > 60 ? `${text.slice(0, 60)}…` : text};`;
}

/** An error function for zod that says what stands there and what form is allowed. */
export function mustBe(form: string): (issue: { readonly input?: unknown }) => string {
  return (issue) => `${shown(issue.input)} must be ${form}`;
}

/** A text that matches `pattern`. */
export function textOf(pattern: RegExp, form: string) {
  return z.string({ error: mustBe(form) }).regex(pattern, { error: mustBe(form) });
}

/** Any text of at most 4096 characters. */
export const text = z
  .string({ error: mustBe('a text') })
  .max(4096, { error: mustBe('a text of at most 4096 characters') });

/** A sysfs name: what may be one folder name. */
export const name = textOf(
  /^(?!\.{1,2}$)[^/\s]{1,128}$/,
  'a name of 1 to 128 characters without "/" and spaces',
);

/** A full PCI address. */
export const address = z.custom<PciAddress>(
  (input) => typeof input === 'string' && isPciAddress(input),
  { error: mustBe('a PCI address dddd:bb:dd.f in lower case, for example 0000:65:00.0') },
);

/** `vendor:device`. */
export const idPair = textOf(
  /^[0-9a-f]{4}:[0-9a-f]{4}$/,
  'vendor:device, four lower-case hex digits each, for example 10de:2235',
);

/** Four hex digits. */
export const hex4 = textOf(/^[0-9a-f]{4}$/, 'four lower-case hex digits, for example 1889');

/** Two hex digits. */
export const hex2 = textOf(/^[0-9a-f]{2}$/, 'two lower-case hex digits, for example a1');

/** A class code. */
export const classCode = textOf(
  /^[0-9a-f]{6}$/,
  'six lower-case hex digits (class, subclass, interface), for example 030000',
);

/** A block device number. */
export const devno = textOf(/^\d{1,4}:\d{1,7}$/, 'major:minor, for example 259:0');

/** A MAC address. */
export const mac = textOf(
  /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/,
  'six pairs of lower-case hex digits, for example 52:54:00:12:34:56',
);

/** An address with its prefix length, v4 or v6. */
export const cidr = textOf(
  /^(\d{1,3}(\.\d{1,3}){3}\/([0-2]?\d|3[0-2])|[0-9a-f:]+(:\d{1,3}(\.\d{1,3}){3})?\/(\d{1,2}|1[01]\d|12[0-8]))$/,
  'an address with prefix length, for example 192.0.2.7/24 or 2001:db8::7/64',
);

/** A yes-or-no: true or false. */
export const flag = z.union([z.boolean(), z.literal('true'), z.literal('false')], {
  error: mustBe('true or false'),
});

/** The value of a flag; `otherwise` when it was not given. */
export function isOn(given: z.output<typeof flag> | undefined, otherwise: boolean): boolean {
  return given === undefined ? otherwise : given === true || given === 'true';
}

/** A whole number in [least, most]. */
export function whole(least: number, most: number) {
  const form = `a whole number from ${least} to ${most}`;
  return z
    .union([z.number(), z.string().regex(/^-?\d{1,16}$/)], { error: mustBe(form) })
    .transform(Number)
    .refine((n) => Number.isSafeInteger(n) && n >= least && n <= most, { error: mustBe(form) });
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, { error: mustBe(`one of ${words.join(', ')}`) });
}

/** A mapping with exactly these fields; unknown ones are refused by name, with the list of those allowed. */
export function mapping<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const allowed = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown field ${issue.keys.map((key) => `"${key}"`).join(', ')}; allowed: ${allowed}`
        : `${shown(issue.input)} must be a mapping with the fields ${allowed}`,
  });
}

/** A list; absent means empty. At most 100 000 entries. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z
    .array(item, { error: mustBe('a list') })
    .max(100_000, { error: 'has more than 100000 entries' })
    .optional();
}

/** A mapping from names to something. */
export function named<Key extends z.core.$ZodRecordKey, Item extends z.ZodType>(
  key: Key,
  item: Item,
) {
  return z.record(key, item, {
    error: (issue) =>
      issue.code === 'invalid_key' ? 'has a key that is not allowed' : mustBe('a mapping')(issue),
  });
}
