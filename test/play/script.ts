// The words of a kernel script, one command a line, as the program that recorded the transcripts reads
// them. Refuses what that program would not survive, naming the line and the form.
import { CodedError } from '../../src/base/errors.ts';

/** One line of a script. `rest` is everything after the words, with its spaces. */
export interface Command {
  readonly line: number;
  readonly text: string;
  readonly word: string;
  readonly args: readonly string[];
  readonly rest: string;
}

/** How many words each command takes before the rest of the line, and its form. */
const forms: Readonly<Record<string, { readonly words: number; readonly form: string }>> = {
  w: { words: 1, form: 'w PATH DATA' },
  r: { words: 1, form: 'r PATH' },
  rl: { words: 1, form: 'rl PATH' },
  ls: { words: 1, form: 'ls PATH' },
  stat: { words: 1, form: 'stat PATH' },
  open: { words: 2, form: 'open NAME PATH' },
  close: { words: 1, form: 'close NAME' },
  status: { words: 1, form: 'status GROUP' },
  setcont: { words: 2, form: 'setcont GROUP CONTAINER' },
  unset: { words: 1, form: 'unset GROUP' },
  setiommu: { words: 2, form: 'setiommu CONTAINER TYPE' },
  getdev: { words: 2, form: 'getdev NAME GROUP ADDRESS' },
  bindiommufd: { words: 2, form: 'bindiommufd DEVICE IOMMUFD' },
  devreset: { words: 1, form: 'devreset DEVICE' },
  reset: { words: 1, form: 'reset DEVICE' },
  wa: { words: 2, form: 'wa NAME PATH DATA' },
  ra: { words: 2, form: 'ra NAME PATH' },
  wait: { words: 2, form: 'wait NAME MILLISECONDS' },
  sig: { words: 2, form: 'sig NAME SIGNAL' },
  ue: { words: 0, form: 'ue' },
  ueq: { words: 0, form: 'ueq' },
  sleep: { words: 1, form: 'sleep MILLISECONDS' },
  sh: { words: 0, form: 'sh COMMANDS' },
  host: { words: 0, form: 'host COMMAND' },
};

const numeric: ReadonlySet<string> = new Set(['setiommu', 'wait', 'sig']);

function invalid(line: number, word: string, problem: string): CodedError {
  return new CodedError('WG_SCRIPT_INVALID', `line ${line}: "${word}" ${problem}`);
}

/** strtok_r: the first `count` words, and what is left after one separator. */
function split(text: string, count: number): { words: string[]; rest: string } {
  const words: string[] = [];
  let left = text;
  for (let i = 0; i < count; i++) {
    left = left.replace(/^ +/, '');
    const end = left.indexOf(' ');
    const word = end < 0 ? left : left.slice(0, end);
    if (word === '') break;
    words.push(word);
    left = end < 0 ? '' : left.slice(end + 1);
  }
  return { words, rest: left };
}

/** The command of a line, or null for an empty line and a comment. */
function parseLine(text: string, line: number): Command | null {
  if (text === '' || text.startsWith('#')) return null;
  const { words, rest } = split(text, 1);
  const [word = ''] = words;
  const known = Object.hasOwn(forms, word) ? forms[word] : undefined;
  if (known === undefined) {
    throw invalid(line, word, `is no command; commands are ${Object.keys(forms).join(', ')}`);
  }
  const { words: args, rest: after } = split(rest, known.words);
  if (args.length < known.words) throw invalid(line, word, `needs the form "${known.form}"`);
  if (word === 'getdev' && after === '')
    throw invalid(line, word, `needs the form "${known.form}"`);
  const number = numeric.has(word) ? args[1] : word === 'sleep' ? args[0] : '0';
  if (!/^\d+$/.test(number ?? ''))
    throw invalid(line, word, `needs a whole number: "${known.form}"`);
  return { line, text, word, args, rest: after };
}

/** All commands of a script. Throws WG_SCRIPT_INVALID with the line, the word, and the allowed form. */
export function parseScript(text: string): readonly Command[] {
  return text
    .split('\n')
    .map((line, i) => parseLine(line.replace(/\r$/, ''), i + 1))
    .filter((command) => command !== null);
}

/** Data as the script writes it: `\n` and `\0` are escapes. */
export function unescape(data: string): string {
  return data.replace(/\\([n0])/g, (_, which: string) => (which === 'n' ? '\n' : '\0'));
}
