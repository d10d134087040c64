#!/usr/bin/env node
// Draws the bundled sample data set from a larger measured CSV file:
//   node tools/make-sample-dataset.mjs h100-networklike.csv data/sample-h100/h100-networklike-1000.csv
// It keeps the rows whose shape (the first ten columns, as text) has the smallest SHA-256: a choice that looks at no
// measured value and not at the order of the file. Rows stay in the order in which they were measured.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const ROWS = 1000;
const SHAPE_COLUMNS = 10;

const [input, output] = process.argv.slice(2);
if (input === undefined || output === undefined) {
  console.error('usage: make-sample-dataset.mjs INPUT.csv OUTPUT.csv');
  process.exit(2);
}
const [header, ...rows] = readFileSync(input, 'utf8').trimEnd().split('\n');
const rank = (row) =>
  createHash('sha256').update(row.split(',').slice(0, SHAPE_COLUMNS).join()).digest('hex');
const chosen = new Set(
  rows
    .map((row) => ({ row, rank: rank(row) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, ROWS)
    .map(({ row }) => row),
);
const text = [header, ...rows.filter((row) => chosen.has(row))].join('\n') + '\n';
writeFileSync(output, text);
console.log(
  `${chosen.size} of ${rows.length} rows, SHA-256 ${createHash('sha256').update(text).digest('hex')}`,
);
