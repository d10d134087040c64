// Jest's global set-up of tests of a whole deployment, which also need the dashboard and the worker in one file. It is a module of
// its own, because Jest runs a set-up module once, for the first project that names it.
import { build } from './before-tests.mjs';

export default function beforeStackTests() {
  build('nx', 'run-many', '-t', 'build', 'bundle', '--output-style=static');
}
