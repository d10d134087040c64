// One configuration, all kinds of test, told apart by file name (docs/testing.md).
const swc = [
  '@swc/jest',
  {
    jsc: {
      parser: { syntax: 'typescript', decorators: true, dynamicImport: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
      target: 'es2023',
      keepClassNames: true,
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  },
];

/** Tests run on the TypeScript sources; child processes that they start run on the build. */
const shared = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  globalSetup: '<rootDir>/tools/before-tests.mjs',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  moduleNameMapper: {
    '^@alphaflops/worker/commands$': '<rootDir>/apps/worker/src/commands/index.ts',
    '^@alphaflops/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^@alphaflops/([a-z-]+)/([a-z-]+)$': '<rootDir>/libs/$1/src/$2.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['/dist/'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
};

/** Tests of a whole deployment. */
const stack = { ...shared, globalSetup: '<rootDir>/tools/before-stack-tests.mjs' };

export default {
  // Tests with child processes on a busy two-core machine: a limit for what hangs, not a measure of speed.
  testTimeout: 60_000,
  maxWorkers: 2,
  testSequencer: '<rootDir>/tools/long-first.mjs',
  // Of tests in one file that may run beside each other (it.concurrent).
  maxConcurrency: 2,
  projects: [
    {
      ...shared,
      displayName: 'unit',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.spec.ts'],
      testPathIgnorePatterns: [...shared.testPathIgnorePatterns, '\\.(contract|gpu)\\.spec\\.ts$'],
    },
    {
      ...shared,
      displayName: 'contract',
      testMatch: ['<rootDir>/{apps,libs,tools}/**/*.contract.spec.ts', '<rootDir>/libs/**/*.gpu.spec.ts'],
    },
    { ...stack, displayName: 'e2e', testMatch: ['<rootDir>/test/**/*.e2e.spec.ts'] },
    { ...stack, displayName: 'faults', testMatch: ['<rootDir>/test/**/*.faults.spec.ts'] },
    { ...stack, displayName: 'accuracy', testMatch: ['<rootDir>/test/**/*.accuracy.spec.ts'] },
  ],
};
