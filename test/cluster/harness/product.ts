// wholegroup as a test installs it: the image made from this checkout, and the chart by Helm.
import { globSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../cache.ts';
import { Unavailable } from '../../kernel/rig/apt.ts';
import { built } from '../build.ts';
import { run } from './run.ts';
import { testImage } from './test-image.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(cacheFolder(process.env), 'images');

/** Archives that a node needs: that of the tests' own pods and that of wholegroup. */
export interface Install {
  readonly images: readonly string[];
  /** Path of helm. */
  readonly helm: string;
}

/** EX_UNAVAILABLE: how npm run image says that this machine cannot make one. */
const cannotRun = 69;

/** Builds what an installation needs; the image anew each time, for it has this checkout in it. */
export async function prepareInstall(tell: (line: string) => void): Promise<Install> {
  const startedMs = performance.now();
  const out = join(folder, 'product');
  mkdirSync(out, { recursive: true });
  const args = [join(root, 'scripts', 'image.ts'), '--out', out];
  const { status, stderr } = await run(process.execPath, args, { cwd: root, limitMs: 600_000 });
  if (status === cannotRun) throw new Unavailable(stderr.trim());
  if (status !== 0) throw new Error(`npm run image ended with ${status}: ${stderr}`);
  tell(`image: made in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return await preparedInstall(tell);
}

/** What prepareInstall has built before. */
export async function preparedInstall(
  tell: (line: string) => void = () => undefined,
): Promise<Install> {
  const helm = await built('helm', tell);
  if (helm.kind === 'missing') throw new Unavailable(helm.why);
  const busybox = await testImage(tell);
  // Those of other versions may be there too.
  const archive = globSync(join(folder, 'product', '*.oci.tar'))
    .toSorted((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
    .at(-1);
  if (archive === undefined) throw new Error('no image was made: npm run image');
  return { images: [busybox, archive], helm: join(helm.folder, 'helm') };
}
