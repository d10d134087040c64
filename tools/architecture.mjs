// Generates docs/architecture.md from the package.json files, the API description, the jobs and the store port. A
// part of `npm run generate`.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(import.meta.dirname, '..');
const read = (path) => readFileSync(join(root, path), 'utf8');

/** The titles of the package tags, in the order of the chart. Each kind imports from the kinds below it. */
const KINDS = {
  app: 'programs',
  feature: 'features of the coordinator',
  http: 'manners of the API',
  adapter: 'adapters',
  client: 'client of the API',
  driver: 'drivers',
  port: 'ports',
  config: 'configuration',
  pure: 'pure rooms',
  contracts: 'contracts',
};

/** Returns every package with its kind and the workspace packages that it imports. */
function rooms() {
  return ['apps', 'libs'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => {
      const { dependencies = {}, nx } = JSON.parse(read(join(folder, name, 'package.json')));
      const kind = nx.tags.find((tag) => tag.startsWith('type:')).slice('type:'.length);
      const imports = Object.keys(dependencies).filter((one) => one.startsWith('@alphaflops/'));
      return { name, kind, imports: imports.map((one) => basename(one)) };
    }),
  );
}

/** Returns the rooms as a flow chart. It omits an import that follows from two others. */
export function roomsChart(all = rooms()) {
  const byName = new Map(all.map((room) => [room.name, room]));
  const reaches = (from, to) => byName.get(from).imports.some((next) => next === to || reaches(next, to));
  const direct = all.flatMap(({ name, imports }) =>
    imports
      .filter((to) => !imports.some((other) => other !== to && reaches(other, to)))
      .map((to) => `  ${name} --> ${to}`),
  );
  const groups = Object.entries(KINDS).map(([kind, title]) => {
    const names = all.filter((room) => room.kind === kind).map(({ name }) => `    ${name}`);
    return [`  subgraph kind_${kind}["${title}"]`, ...names, '  end'].join('\n');
  });
  return ['flowchart TD', ...groups, ...direct].join('\n');
}

/** Sender, receiver and message: a route of the API, a job, or a method of the store port. */
const STEPS = [
  ['Client', 'Coordinator', { route: 'POST /v1/campaigns' }],
  ['Coordinator', 'Store', { store: 'campaign-store', method: 'create' }],
  ['Coordinator', 'Queue', { job: 'measure' }],
  ['Worker', 'Coordinator', { route: 'POST /v1/workers/{id}/leases' }],
  ['Coordinator', 'Queue', { note: 'takes a job, and renews it while the worker does' }],
  ['Worker', 'Executor', { note: 'measures the convolutions of the batch in a process of its own' }],
  ['Worker', 'Coordinator', { route: 'POST /v1/workers/{id}/leases/result' }],
  ['Coordinator', 'Store', { store: 'sample-store', method: 'record' }],
  ['Coordinator', 'Queue', { job: 'fit' }],
  ['Fitter', 'Queue', { note: 'takes the fit' }],
  ['Fitter', 'Store', { store: 'sample-store', method: 'stream' }],
  ['Fitter', 'Store', { store: 'model-store', method: 'publish' }],
  ['Client', 'Coordinator', { route: 'POST /v1/predictions' }],
  ['Coordinator', 'Store', { store: 'model-store', method: 'served' }],
];

/**
 * Returns the data flow as a sequence diagram. @throws Error for a route, job or method that does not exist in the
 * code
 */
export function dataChart(steps = STEPS) {
  const { paths } = JSON.parse(read('openapi.json'));
  const jobs = read('libs/contracts/src/jobs.ts');
  const textOf = ({ route, job, store, method, note }) => {
    if (note !== undefined) return note;
    if (job !== undefined) {
      const version = new RegExp(`^ {2}'?${job}'?: \\{ version: (\\d+)`, 'm').exec(jobs)?.[1];
      if (version === undefined) throw new Error(`job ${job} does not exist`);
      return `job ${job}.v${version}`;
    }
    if (store !== undefined) {
      if (!read(`libs/store/src/${store}.ts`).includes(`abstract ${method}(`)) {
        throw new Error(`${store} has no method ${method}`);
      }
      return `${store}: ${method}`;
    }
    const [verb, path] = route.split(' ');
    const { responses } = paths[path]?.[verb.toLowerCase()] ?? {};
    if (responses === undefined) throw new Error(`route ${route} does not exist`);
    // A semicolon ends a message in Mermaid.
    const [what] = Object.values(responses)[0].description.split(/[:;]/);
    return `${route} – ${what}`;
  };
  const names = [...new Set(steps.flatMap(([from, to]) => [from, to]))];
  return [
    'sequenceDiagram',
    ...names.map((name) => `  participant ${name}`),
    ...steps.map(([from, to, what]) => `  ${from}->>${to}: ${textOf(what)}`),
  ].join('\n');
}

export function architecturePage() {
  return `# Architecture

_Written from the code by \`npm run generate\`; a test finds differences._

## Rooms

Each package is a room. Imports go downwards only; the linter keeps it ([decision 2](decisions/0002-rooms.md) has the rules).
An arrow is an import; between programs, that one starts the other or serves its files. An arrow that follows from two others is
left out.

\`\`\`mermaid
${roomsChart()}
\`\`\`

## The way of the data

From the plan of a campaign to a prediction. The store is the truth, and the queue is work to do: when a coordinator starts, it
compares both and submits again what is planned and not stored. Workers reach the coordinator only.

\`\`\`mermaid
${dataChart()}
\`\`\`
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(root, 'docs/architecture.md'), architecturePage());
}
