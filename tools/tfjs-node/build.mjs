#!/usr/bin/env node
// Builds @tensorflow/tfjs-node (or -gpu) against the TensorFlow of a Python environment; see docs/tfjs-node.md.
//   node tools/tfjs-node/build.mjs --python PATH [--gpu] [--into FOLDER]
// Linux, with make and a C++ compiler, on the build. What it leaves in FOLDER is used by `--tfjs-node FOLDER` of a worker.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAddon, CannotBuild } from '@alphaflops/worker/tfjs-node-addon';

const USAGE = 'usage: build.mjs --python PATH [--gpu] [--into FOLDER]';

try {
  const { values } = parseArgs({
    options: { python: { type: 'string' }, gpu: { type: 'boolean' }, into: { type: 'string' } },
  });
  if (values.python === undefined) throw new CannotBuild(USAGE);
  const gpu = values.gpu ?? false;
  const folder = resolve(values.into ?? join(homedir(), '.cache/alphaflops/tfjs-node'));
  const tensorflow = buildAddon({ python: values.python, gpu, folder, log: console.log });
  const executor = gpu ? 'tfjs-node-gpu' : 'tfjs-node';
  console.log(`\n${executor} now runs TensorFlow ${tensorflow}. To see the devices that it finds:\n`);
  console.log(`  npx alphaflops device probe --executor ${executor} --tfjs-node ${folder}\n`);
} catch (error) {
  const isOurs = error instanceof CannotBuild || error.code?.startsWith('ERR_PARSE_ARGS');
  console.error(isOurs ? error.message : error);
  process.exit(1);
}
