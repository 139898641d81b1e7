// Simulated machines from files: a topology written by hand or by `wholegroup inspect --export` (YAML or
// JSON), or a dump of a guest's sysfs, recognised by its shape. Refuses what is not of the form with the
// name of the field and what is allowed there.
import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { parseDocument } from 'yaml';
import { CodedError, errorText } from '../../base/errors.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { isDump, parseDump } from './dump.ts';
import type { MachineSpec } from './spec.ts';
import { checkTopology } from './topology-check.ts';
import { fillTopology } from './topology-fill.ts';
import { topologyForm } from './topology-form.ts';
import { problemsOf, problemText, type TopologyProblem } from './topology-problem.ts';

/** Characters of a topology file, at most: 8 Mi, far more than 10 000 functions need. */
const textCharsMax = 8 * 1024 * 1024;

/** YAML without its guessing: every scalar stays the text that stands there. JSON keeps its own types. */
function documentOf(text: string): Result<unknown, TopologyProblem> {
  if (text.length > textCharsMax) {
    return fail({ field: '', message: `is longer than ${textCharsMax} characters` });
  }
  try {
    if (text.trimStart().startsWith('{')) {
      const parsed: unknown = JSON.parse(text);
      return ok(parsed);
    }
    const document = parseDocument(text, { schema: 'failsafe', merge: true });
    const [error] = document.errors;
    if (error !== undefined) {
      return fail({ field: '', message: `is no YAML: ${error.message.split('\n')[0] ?? ''}` });
    }
    const parsed: unknown = document.toJS({ maxAliasCount: 1000 });
    return ok(parsed);
  } catch (thrown) {
    return fail({ field: '', message: `is neither YAML nor JSON: ${errorText(thrown)}` });
  }
}

/**
 * A machine from the text of a topology file or of a dump. `name` is the machine's name unless the text has
 * one. All problems are told, not only the first.
 */
export function parseTopology(
  text: string,
  name: string,
): Result<MachineSpec, readonly TopologyProblem[]> {
  const document = documentOf(text);
  if (!document.ok) return fail([document.problem]);
  if (isDump(document.value)) return checked(parseDump(document.value, name));
  const form = topologyForm.safeParse(document.value);
  if (!form.success) return fail(problemsOf(form.error));
  return checked(ok(fillTopology(form.data, name)));
}

function checked(
  spec: Result<MachineSpec, readonly TopologyProblem[]>,
): Result<MachineSpec, readonly TopologyProblem[]> {
  if (!spec.ok) return spec;
  const problems = checkTopology(spec.value);
  return problems.length === 0 ? spec : fail(problems);
}

/** Name of the machine in a file: the file's name without its extension. */
function topologyNameOf(path: string): string {
  return basename(path, extname(path));
}

/** The machine in a file; throws CodedError WG_TOPOLOGY_INVALID when it cannot be read or is not of the form. */
export async function readTopologyFile(path: string): Promise<MachineSpec> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new CodedError('WG_TOPOLOGY_INVALID', `${path}: cannot be read: ${errorText(cause)}`, {
      cause,
    });
  }
  const spec = parseTopology(text, topologyNameOf(path));
  if (spec.ok) return spec.value;
  throw new CodedError('WG_TOPOLOGY_INVALID', problemText(path, spec.problem));
}
