// Writes the generated files of the repository: `npm run gen`. With --check it only tells which are not current.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles, outdatedFiles, root, staleFiles } from './generated.ts';

if (process.argv.includes('--check')) {
  const outdated = await outdatedFiles();
  for (const path of outdated) console.error(`${path} is not current: run \`npm run gen\``);
  process.exitCode = outdated.length === 0 ? 0 : 1;
} else {
  const generated = await generatedFiles();
  for (const [path, text] of generated) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  for (const path of staleFiles(generated)) rmSync(join(root, path));
  console.log(`${generated.size} generated files are current`);
}
