// What other versions of Kubernetes say of their kinds, without running them: their Go module has the file that their API
// server serves. Fetched once, and kept; whoever has no Go, or no proxy of modules, gets the reason.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  copyFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../cluster/cache.ts';
import { run } from './helm.ts';
import type { OpenApi } from './kubernetes-schemas.ts';

/** The last version of each minor that the chart is for and that is not the one built for the tests. */
export const otherVersions = ['1.33.13', '1.34.4', '1.35.4', '1.36.3'] as const;

/** The document, or why there is none. */
export type Found =
  | { readonly kind: 'found'; readonly openApi: OpenApi }
  | { readonly kind: 'missing'; readonly why: string };

const fileInModule = 'api/openapi-spec/swagger.json';

/** Fetches the module into a folder of its own, for of its 150 MB only one file is wanted. */
async function fetchDocument(version: string, to: string): Promise<string | null> {
  const cache = join(to, '..');
  mkdirSync(cache, { recursive: true });
  const modules = mkdtempSync(join(cache, 'modules-'));
  try {
    const env = {
      GOMODCACHE: modules,
      GOFLAGS: '-modcacherw',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
    };
    const args = ['mod', 'download', '-json', `k8s.io/kubernetes@v${version}`];
    const { status, stdout, stderr } = await run('go', args, { env });
    const answer = JSON.parse(stdout === '' ? '{}' : stdout) as { Dir?: string; Error?: string };
    if (status !== 0 || answer.Dir === undefined) return answer.Error ?? stderr.trim();
    copyFileSync(join(answer.Dir, fileInModule), `${to}.${process.pid}`);
    renameSync(`${to}.${process.pid}`, to);
    return null;
  } finally {
    rmSync(modules, { recursive: true, force: true });
  }
}

/** `/openapi/v2` of that version of Kubernetes. */
export async function openApiOf(version: string): Promise<Found> {
  const path = join(cacheFolder(process.env), 'openapi', `kubernetes-${version}.json`);
  if (!existsSync(path)) {
    const why = await fetchDocument(version, path).catch((thrown: unknown) => String(thrown));
    if (why !== null)
      return { kind: 'missing', why: `the module of ${version} was not fetched: ${why}` };
  }
  return { kind: 'found', openApi: JSON.parse(readFileSync(path, 'utf8')) as OpenApi };
}
