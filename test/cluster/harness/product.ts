// wholegroup as a test installs it: the image made from this checkout, and the chart by Helm.
import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../cache.ts';
import { built } from '../build.ts';
import { succeed } from './run.ts';
import { testImage } from './test-image.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const folder = join(cacheFolder(process.env), 'images');

/** Archives that a node needs: that of the tests' own pods and that of wholegroup. */
export interface Install {
  readonly images: readonly string[];
  /** Path of helm. */
  readonly helm: string;
}

/** Builds what an installation needs; the image anew each time, for it has this checkout in it. */
export async function prepareInstall(tell: (line: string) => void): Promise<Install> {
  const helm = await built('helm', tell);
  if (helm.kind === 'missing') throw new Error(helm.why);
  const busybox = await testImage(tell);
  mkdirSync(folder, { recursive: true });
  const startedMs = performance.now();
  const out = join(folder, 'product');
  await succeed(process.execPath, [join(root, 'scripts', 'image.ts'), '--out', out], { cwd: root });
  tell(`image: made in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  const [archive] = globSync('*.oci.tar', { cwd: out });
  if (archive === undefined) throw new Error(`npm run image left no archive in ${out}`);
  return { images: [busybox, join(out, archive)], helm: join(helm.folder, 'helm') };
}
