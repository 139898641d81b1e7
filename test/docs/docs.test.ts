// The documentation is true where that can be checked: links lead somewhere, YAML is what our schemas allow, commands
// run. Blocks for a cluster are run by test/cluster/scenarios/docs.cluster.ts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { groupObjectSchema } from '../../src/api/iommu-group.ts';
import { nodeObjectSchema } from '../../src/api/passthrough-node.ts';
import { policyObjectSchema } from '../../src/api/passthrough-policy.ts';
import { type Block, pages } from './pages.ts';

const root = join(import.meta.dirname, '..', '..');
const main = join(root, 'src', 'cli', 'main.ts');

for (const page of pages) {
  test(`links of ${page.path} lead to what is there`, () => {
    for (const link of page.links.filter((each) => !/^(https?|mailto):/.test(each))) {
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
      assert.ok(existsSync(join(root, path)), `${link} is not there`);
      const target = pages.find((each) => each.path === path);
      if (anchor !== undefined && target !== undefined)
        assert.ok(target.anchors.has(anchor), `${link}: no such heading`);
    }
  });
}

const blocks = pages.flatMap((page) => page.blocks);
const schemas: Readonly<
  Record<string, typeof policyObjectSchema | typeof groupObjectSchema | typeof nodeObjectSchema>
> = {
  PassthroughPolicy: policyObjectSchema,
  IOMMUGroup: groupObjectSchema,
  PassthroughNode: nodeObjectSchema,
};

/** YAML in a block: all of it, or what its commands give to kubectl. */
function yamlIn({ language, text }: Block): readonly string[] {
  if (language === 'yaml') return [text];
  if (language !== 'sh') return [];
  return [...text.matchAll(/<<'END'\n([\s\S]*?)^END$/gm)].map(([, document = '']) => document);
}

describe('YAML in the documentation', () => {
  for (const block of blocks.filter((each) => yamlIn(each).length > 0)) {
    test(`${block.page}:${block.line}`, () => {
      for (const document of yamlIn(block).flatMap((text) => parseAllDocuments(text))) {
        assert.deepEqual(document.errors, []);
        const object = document.toJS() as { readonly apiVersion?: string; readonly kind?: string };
        if (!object.apiVersion?.startsWith('wholegroup.dev/')) continue;
        const schema = schemas[object.kind ?? ''];
        assert.ok(schema !== undefined, `${object.kind} is a kind of ours`);
        const result = schema.safeParse(object);
        assert.ok(result.success, JSON.stringify(result.error?.issues, null, 2));
      }
    });
  }
});

/** Commands of a block, a line each, without their comments. */
function commandsOf({ text }: Block): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.replace(/\s+# .*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const npm = /^npm (?:run )?([\w:-]+)/;
/** What is asked of a machine without changing it. Whoever starts an agent means it. */
const ours = /^npx wholegroup ((?:inspect|explain|policies)\b.*)$/;
/** `explain` answers whether a device can be released, `inspect` whether there is an IOMMU (exit-codes.md). */
const answers = [0, 1, 2, 3];

function check(command: string): void {
  const script = npm.exec(command)?.[1];
  if (script !== undefined) assert.ok(script in scripts, `package.json has the script ${script}`);
  const words = ours.exec(command)?.[1]?.split(/\s+/);
  if (words === undefined) return;
  const { status, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });
  assert.ok(answers.includes(status ?? -1), `${command}: ${stderr}`);
}

describe('commands in the documentation', () => {
  const shell = blocks.filter(({ language, where }) => language === 'sh' && where !== 'cluster');
  for (const block of shell) {
    const commands = commandsOf(block);
    const some = commands.some((command) => npm.test(command) || ours.test(command));
    const skip = some ? false : 'every command needs a node or a cluster';
    test(`${block.page}:${block.line}`, { skip }, () => commands.forEach(check));
  }
});

test('every page of docs/ is in the index', () => {
  const index = pages.find(({ path }) => path === 'docs/README.md');
  const guides = pages.filter(({ path }) => /^docs\/[^/]+\.md$/.test(path) && path !== index?.path);
  for (const { path } of guides)
    assert.ok(index?.links.includes(path.replace('docs/', '')), `${path} is not in the index`);
});

test('pictures are drawn for light and dark, and say what they show', () => {
  for (const picture of ['phases', 'host-change', 'pod']) {
    const text = readFileSync(join(root, 'docs', 'pictures', `${picture}.svg`), 'utf8');
    assert.match(text, /<title /);
    assert.match(text, /<desc /);
    assert.match(text, /prefers-color-scheme: dark/);
    const classes = new Set(
      [...text.matchAll(/class="([^"]+)"/g)].flatMap(([, names = '']) => names.split(' ')),
    );
    const dark = text.slice(text.indexOf('@media'), text.indexOf('</style>'));
    for (const name of classes)
      if (name !== 'head')
        assert.ok(dark.includes(`.${name}`), `${picture}: .${name} has a dark colour`);
    assert.ok(dark.includes('text {'), 'text has a dark colour');
  }
});
