// Which globs over PCI addresses a policy may name: those that could fit an address. One pattern, so that the API
// server refuses the same: without a star the whole form, with stars a head that begins one and a tail that ends one.
import { isPciAddress } from '../pci/address.ts';
import { shown } from './forms.ts';
import { celText, type Rule } from './rules.ts';

const hex = '[0-9a-f?]';
const whole = `${hex}{4,8}[:?]${hex}{2}[:?][01?]${hex}[.?][0-7?]`;
const afterDomain = `[:?](${hex}(${hex}([:?]([01?](${hex}([.?][0-7?]?)?)?)?)?)?)?`;
const head = `(${hex}{0,8}|${hex}{4,8}(${afterDomain})?)`;
const tail = `((((((((${hex}{0,8}[:?])?${hex})?${hex})?[:?])?[01?])?${hex})?[.?])?[0-7?])?`;

/** Globs that are taken: `*` stands for any text and `?` for one character. */
const addressGlobPattern = new RegExp(`^(${whole}|${head}[*]([0-9a-f:.?]*[*])*${tail})$`);

const strangers = /[^0-9a-f:.*?]/;
const form =
  'must be a PCI address (dddd:bb:dd.f, lower case), where * stands for any text and ? for one character';
const fitsNone = `fits no address; ${form}, for example "0000:65:*"`;

/** Why a text is not taken, or null. */
export function addressGlobProblem(value: string): string | null {
  const stray = strangers.exec(value)?.[0];
  if (stray !== undefined) {
    return `is ${shown(value)}; ${JSON.stringify(stray)} is in no address; ${form}`;
  }
  if (isPciAddress(value) || addressGlobPattern.test(value)) return null;
  return `is ${shown(value)}, which ${fitsNone}`;
}

/** The same for the API server. */
export const addressGlobRules: readonly Rule[] = [
  { rule: `!self.matches(${celText(strangers.source)})`, message: form },
  {
    rule: `self.matches(${celText(strangers.source)}) || self.matches(${celText(addressGlobPattern.source)})`,
    message: fitsNone,
  },
];
