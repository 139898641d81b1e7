// deploy/ from the chart: its templates with default values, without what only Helm wants, one file for each template.
import { programPath, run, templateArgs } from './helm.ts';

const note = '# Made from charts/wholegroup by `npm run gen:deploy`. Do not edit.\n';

/** Where the objects of a template go. Definitions are made from src/api by `npm run gen`. */
const places: readonly (readonly [template: RegExp, path: string | null])[] = [
  [/^access\/(.*)$/, 'deploy/rbac/$1'],
  [/^admission\/(.*)$/, 'deploy/admission/$1'],
  [/^(agent|controller)\/(.*)$/, 'deploy/$1/$2'],
  [/^network-policy\.yaml$/, 'deploy/network-policy.yaml'],
  [/^crds\.yaml$/, null],
];

/** Labels that tell Helm what is its own. */
const helmLabels = /^ +(app\.kubernetes\.io\/(managed-by|instance)|helm\.sh\/chart): .*\n/gm;

function placeOf(template: string): string | null {
  for (const [form, path] of places)
    if (form.test(template)) return path === null ? null : template.replace(form, path);
  throw new Error(
    `${template} of the chart has no place in deploy/: name one in ${import.meta.filename}`,
  );
}

/** Path → text of every plain manifest; null where Helm cannot be had, which is told. */
export async function plainManifests(
  tell: (line: string) => void,
): Promise<ReadonlyMap<string, string> | null> {
  const helm = await programPath('helm', tell);
  if (helm === null) return null;
  const { status, stdout, stderr } = await run(helm, templateArgs([], ['--skip-tests']));
  if (status !== 0) throw new Error(`helm template: ${stderr}`);
  const texts = new Map<string, string[]>();
  for (const part of stdout.split(/^---\n/m).filter((text) => text.trim() !== '')) {
    const [, template = ''] = /^# Source: wholegroup\/templates\/(.*)$/m.exec(part) ?? [];
    const path = placeOf(template);
    if (path === null) continue;
    const text = part.replace(/^# Source: .*\n/m, '').replaceAll(helmLabels, '');
    texts.set(path, [...(texts.get(path) ?? []), `${text.trim()}\n`]);
  }
  return new Map([...texts].map(([path, parts]) => [path, note + parts.join('---\n')]));
}
