// The plain manifests of deploy/, made from the chart with its default values: `npm run gen:deploy`, after a change of
// charts/. With --check it only tells which are not current. Not part of `npm run gen`: it needs Helm, which it builds.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { plainManifests } from '../test/chart/plain-manifests.ts';
import { root } from './generated.ts';

const manifests = await plainManifests((line) => console.error(line));
if (manifests === null) {
  process.exitCode = 69;
} else {
  const differing = [...manifests].filter(
    ([path, text]) =>
      !existsSync(join(root, path)) || readFileSync(join(root, path), 'utf8') !== text,
  );
  if (process.argv.includes('--check')) {
    for (const [path] of differing)
      console.error(`${path} is not current: run \`npm run gen:deploy\``);
    process.exitCode = differing.length === 0 ? 0 : 1;
  } else {
    for (const [path, text] of differing) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    console.log(`${manifests.size} manifests are current`);
  }
}
