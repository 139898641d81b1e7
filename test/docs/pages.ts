// Pages of the documentation as their tests read them: blocks of code with what their first line says, headings, links.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** A block of code. */
export interface Block {
  /** Path of the page from the root of the repository. */
  readonly page: string;
  readonly line: number;
  /** First word behind the fence: `sh`, `yaml`. */
  readonly language: string;
  /** Where it runs: nothing, `cluster` or `node`. */
  readonly where: string;
  readonly text: string;
}

/** A page. */
export interface Page {
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Anchors of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
  readonly links: readonly string[];
}

function blocksOf(page: string, text: string): readonly Block[] {
  const fences = text.matchAll(/^```(\w+)(?: (\w+))?\n([\s\S]*?)^```$/gm);
  return [...fences].map(({ index, 1: language = '', 2: where = '', 3: content = '' }) => {
    const line = text.slice(0, index).split('\n').length;
    return { page, line, language, where, text: content };
  });
}

function anchorOf(heading: string): string {
  const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
}

function readPage(path: string): Page {
  const text = readFileSync(join(root, path), 'utf8');
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return { path, text, blocks: blocksOf(path, text), anchors: new Set(headings), links };
}

/** Every page that people read. */
export const pages: readonly Page[] = ['*.md', 'docs/**/*.md', 'deploy/*.md']
  .flatMap((glob) => globSync(glob, { cwd: root }))
  .sort()
  .map(readPage);

/** The blocks of one page that run in a place, in their order. */
export function blocksIn(path: string, where: string): readonly Block[] {
  const page = pages.find((each) => each.path === path);
  if (page === undefined) throw new Error(`there is no page ${path}`);
  return page.blocks.filter((block) => block.language === 'sh' && block.where === where);
}
