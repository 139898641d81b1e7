// How the kernel reads numbers and flags that are written to files (kstrtoul, kstrtobool).

/** kstrtoul(text, 0): decimal, 0x hex or 0 octal, with at most one newline at the end; null: EINVAL. */
export function kernelNumber(text: string): number | null {
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  const digits = body.startsWith('+') ? body.slice(1) : body;
  if (/^0[xX][0-9a-fA-F]+$/.test(digits)) return Number.parseInt(digits, 16);
  if (/^0[0-7]*$/.test(digits)) return Number.parseInt(digits, 8);
  if (/^[1-9][0-9]*$/.test(digits)) return Number.parseInt(digits, 10);
  return null;
}

/** kstrtobool: by the first characters; null: EINVAL. */
export function kernelFlag(text: string): boolean | null {
  if (/^[yYtT1]/.test(text) || /^[oO][nN]/.test(text)) return true;
  if (/^[nNfF0]/.test(text) || /^[oO][fF]/.test(text)) return false;
  return null;
}

/** The name in a text that ends in at most one newline and has no NUL. */
export function nameIn(text: string): string {
  const nul = text.indexOf('\0');
  const cut = nul < 0 ? text : text.slice(0, nul);
  return cut.endsWith('\n') ? cut.slice(0, -1) : cut;
}
