import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import jest from 'eslint-plugin-jest';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const framework = ['@nestjs/*', 'express', 'rxjs', 'reflect-metadata'];
const databases = ['libsql', 'mongodb'];
const queues = ['bullmq', 'ioredis', '@nestjs/bullmq'];
const accelerators = ['@tensorflow/*', 'koffi', 'webgpu'];

const environment = {
  object: 'process',
  property: 'env',
  message: 'Read the environment in libs/config only.',
};

/**
 * What these rooms compute enters documents, which must be the same bytes on every engine. ECMAScript leaves these
 * functions to the engine: docs/decisions/0022-elementary-functions.md.
 */
const DOCUMENT_ROOMS = [
  'conv',
  'dataset',
  'fits',
  'least-squares',
  'measure',
  'models',
  'planning',
  'provenance',
  'report',
];
const ENGINE_FUNCTIONS = [
  ...[
    'acos',
    'acosh',
    'asin',
    'asinh',
    'atan',
    'atan2',
    'atanh',
    'cbrt',
    'cos',
    'cosh',
    'exp',
    'expm1',
    'hypot',
  ],
  ...['log', 'log10', 'log1p', 'log2', 'pow', 'sin', 'sinh', 'tan', 'tanh'],
];
const engineFunctions = ENGINE_FUNCTIONS.map((property) => ({
  object: 'Math',
  property,
  message: 'Its last bits differ between engines. Use @alphaflops/elementary.',
}));

const { 'expect-expect': expectExpect } = jest.rules;
/** jest/expect-expect, without tests that are skipped: they show the reason, and nothing of them runs. */
const assertsSomething = {
  ...expectExpect,
  create: (context) =>
    expectExpect.create(
      Object.create(context, {
        report: {
          value: (problem) => {
            if (problem.node.property?.name !== 'skip') context.report(problem);
          },
        },
      }),
    ),
};

/** One direction of imports: docs/decisions/0002-rooms.md. No tag may depend on everything. */
const depConstraints = [
  {
    sourceTag: 'type:pure',
    onlyDependOnLibsWithTags: ['type:pure', 'type:contracts'],
    bannedExternalImports: [...framework, ...databases, ...queues, ...accelerators],
  },
  {
    sourceTag: 'scope:elementary',
    onlyDependOnLibsWithTags: ['scope:elementary'],
  },
  {
    sourceTag: 'scope:conv',
    onlyDependOnLibsWithTags: ['scope:conv', 'scope:elementary'],
  },
  {
    sourceTag: 'scope:least-squares',
    onlyDependOnLibsWithTags: ['scope:least-squares', 'scope:elementary'],
  },
  {
    sourceTag: 'type:contracts',
    onlyDependOnLibsWithTags: ['scope:conv'],
    bannedExternalImports: [...framework, ...databases, ...queues, ...accelerators],
  },
  {
    sourceTag: 'type:config',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:pure'],
    bannedExternalImports: [...framework, ...databases, ...queues, ...accelerators],
  },
  {
    sourceTag: 'type:port',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:pure'],
    bannedExternalImports: [...framework, ...databases, ...accelerators],
  },
  {
    sourceTag: 'type:driver',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:pure'],
    bannedExternalImports: [...framework, ...databases, ...queues],
  },
  {
    sourceTag: 'type:adapter',
    onlyDependOnLibsWithTags: ['type:driver', 'type:port', 'type:config', 'type:contracts', 'type:pure'],
    bannedExternalImports: [...framework, ...queues],
  },
  {
    sourceTag: 'type:feature',
    onlyDependOnLibsWithTags: ['type:port', 'type:contracts', 'type:pure', 'type:config', 'type:http'],
    bannedExternalImports: [...databases, ...queues, ...accelerators],
  },
  {
    sourceTag: 'type:http',
    onlyDependOnLibsWithTags: ['type:contracts', 'type:config', 'type:port'],
    bannedExternalImports: [...databases, ...queues, ...accelerators],
  },
  {
    sourceTag: 'type:client',
    onlyDependOnLibsWithTags: ['type:contracts'],
    bannedExternalImports: [...framework, ...databases, ...queues, ...accelerators],
  },
  {
    sourceTag: 'type:app',
    onlyDependOnLibsWithTags: [
      'type:feature',
      'type:http',
      'type:adapter',
      'type:port',
      'type:contracts',
      'type:pure',
      'type:config',
      'type:client',
    ],
    bannedExternalImports: [...databases, ...queues, ...accelerators],
  },
  {
    // Runs in browsers and talks to the public API only; a network file is read where it is dropped.
    sourceTag: 'scope:dashboard',
    onlyDependOnLibsWithTags: ['type:client', 'scope:conv', 'scope:networks'],
    bannedExternalImports: framework,
  },
];

/** Features are tested on the embedded store: a port has no behaviour of its own. */
const specConstraints = depConstraints.map((constraint) =>
  constraint.sourceTag === 'type:feature'
    ? { ...constraint, onlyDependOnLibsWithTags: [...constraint.onlyDependOnLibsWithTags, 'type:adapter'] }
    : constraint,
);
/** No app imports another, with one exception: the command line shows and completes the commands of the worker. */
const allow = ['@alphaflops/worker/commands'];
const boundaries = { enforceBuildableLibDependency: false, banTransitiveDependencies: true, allow };

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '.nx/**',
      'libs/api-client/src/generated/**',
      'coverage/**',
      'test-results/**',
      'docs/.vitepress/cache/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { ...boundaries, depConstraints }],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // Settings and ports are abstract classes because Nest needs a value as token; any object of the shape will do.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      'no-restricted-properties': ['error', environment],
    },
  },
  {
    files: DOCUMENT_ROOMS.map((room) => `libs/${room}/src/**`),
    rules: {
      'no-restricted-properties': ['error', environment, ...engineFunctions],
      'no-restricted-syntax': [
        'error',
        {
          // Between two literals, as in 2 ** 20, it is exact.
          selector: "BinaryExpression[operator='**']:not([left.type='Literal'][right.type='Literal'])",
          message: 'Its last bits differ between engines. Use pow, square or cube of @alphaflops/elementary.',
        },
        {
          selector: "AssignmentExpression[operator='**=']",
          message: 'Its last bits differ between engines. Use pow of @alphaflops/elementary.',
        },
        {
          selector:
            "CallExpression[callee.object.name='AbortSignal'][callee.property.name='any'] CallExpression[callee.property.name='timeout']",
          message:
            'In Node 20 it can be garbage-collected before it fires. Use a timer, as withTimeLimit of the worker.',
        },
      ],
    },
  },
  {
    files: [
      'libs/config/src/**',
      '**/*.spec.ts',
      '**/*.spec.helper.ts',
      '**/*.spec-helper.ts',
      'test/**',
      'tools/**',
    ],
    rules: { 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    files: ['libs/*/src/**/*.spec.ts', 'libs/*/src/**/*.spec-helper.ts'],
    rules: {
      '@nx/enforce-module-boundaries': ['error', { ...boundaries, depConstraints: specConstraints }],
    },
  },
  { files: ['apps/dashboard/**'], ...reactHooks.configs.flat['recommended-latest'] },
  {
    files: ['**/*.spec.ts'],
    plugins: { tests: { rules: { 'asserts-something': assertsSomething } } },
    rules: {
      // Jest types its asymmetric matchers as any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      // Helpers that assert begin with the same word.
      'tests/asserts-something': ['error', { assertFunctionNames: ['expect', 'expect*'] }],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  prettier,
);
