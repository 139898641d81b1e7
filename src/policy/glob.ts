// Globs over PCI addresses: `*` for any text, `?` for one character, nothing else. No regular
// expressions, so that no policy can make matching slow: at most |glob| x |text| steps.

/**
 * True when the whole of `text` fits `glob`. Greedy, with one place to go back to: the last `*` takes one
 * character more each time.
 */
export function globMatches(glob: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let starAt = 0;
  let next = 0;
  while (next < text.length) {
    const want = glob[at];
    if (want === '*') {
      star = at++;
      starAt = next;
    } else if (want === '?' || (want !== undefined && want === text[next])) {
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
