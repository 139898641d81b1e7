// Globs over PCI addresses: `*` for any text, `?` for one character, nothing else. No regular
// expressions, so that no policy can make matching slow: at most |glob| x |text| steps.

/** True when the whole of `text` fits `glob`. */
export function globMatches(glob: string, text: string): boolean {
  return fits(glob, text.split(''), (literal, position) => literal === position);
}

/** One position of an address: the characters that may stand there. */
type Position = string;

const hex = '0123456789abcdef';

/** The forms of an address, one for each length of the domain. */
const addressForms: readonly (readonly Position[])[] = [4, 5, 6, 7, 8].map((domainDigits) => [
  ...Array.from({ length: domainDigits }, () => hex),
  ...[':', hex, hex, ':', '01', hex, '.', '01234567'],
]);

/** True when some PCI address fits `glob`: a glob for which this is false is a mistake. */
export function globCanMatchAddress(glob: string): boolean {
  return addressForms.some((form) =>
    fits(glob, form, (literal, position) => position.includes(literal)),
  );
}

/** Greedy matching with one place to go back to: the last `*` takes one position more each time. */
function fits(
  glob: string,
  positions: readonly string[],
  accepts: (literal: string, position: string) => boolean,
): boolean {
  let at = 0;
  let star = -1;
  let starAt = 0;
  let next = 0;
  while (next < positions.length) {
    const want = glob[at];
    if (want === '*') {
      star = at++;
      starAt = next;
    } else if (want !== undefined && (want === '?' || accepts(want, positions[next] ?? ''))) {
      at++;
      next++;
    } else if (star >= 0) {
      at = star + 1;
      next = ++starAt;
    } else {
      return false;
    }
  }
  while (glob[at] === '*') at++;
  return at === glob.length;
}
