// Lines and tables on a terminal: cut by what is seen, not by what is sent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ansi, cutToWidth, visibleWidth } from '../../src/cli/render/paint.ts';
import { rangesText } from '../../src/cli/render/machine.ts';
import { tableLines } from '../../src/cli/render/table.ts';

test('a line is cut at the width that is seen, and its colours are closed', () => {
  assert.equal(cutToWidth('0123456789', 10), '0123456789');
  assert.equal(cutToWidth('0123456789', 9), '01234567…');
  const painted = `${ansi('bad', 'no')}  ${ansi('good', 'releasable')}`;
  for (let width = 1; width <= 20; width++) {
    const cut = cutToWidth(painted, width);
    assert.equal(visibleWidth(cut), Math.min(width, 14));
    if (width < 14)
      assert.ok(cut.endsWith('\u001b[0m…') || !cut.includes('\u001b'), JSON.stringify(cut));
  }
});

test('columns of a table are as wide as their widest cell, colours not counted', () => {
  const lines = tableLines(
    [{ heading: 'A' }, { heading: 'B', maxWidth: 4 }, { heading: 'C' }],
    [
      [ansi('good', 'yes'), 'abcdefgh', 'end'],
      ['no', 'x', ''],
    ],
    1,
  );
  assert.deepEqual(lines, ['A   B    C', `${ansi('good', 'yes')} abc… end`, 'no  x']);
});

test('numbers are joined into ranges', () => {
  assert.equal(rangesText([23, 4, 5, 6, 2, 11, 10]), '2, 4-6, 10-11, 23');
  assert.equal(rangesText([]), '');
});
