import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';

const docs = join(import.meta.dirname, '..');
const icon = readFileSync(join(docs, '../apps/dashboard/src/icon.svg')).toString('base64');
const page = (text, link) => ({ text, link: `/${link}` });

/** `npm run docs` builds the site into docs/.vitepress/dist; a link that leads nowhere fails the build. */
export default defineConfig({
  title: 'alphaflops',
  description: 'Measured, versioned cost models of convolutions, per device.',
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `data:image/svg+xml;base64,${icon}` }]],
  cleanUrls: true,
  lastUpdated: false,
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      {
        text: 'Start',
        items: [page('Tutorial', 'tutorial'), page('Concepts', 'concepts'), page('The α formula', 'alpha')],
      },
      {
        text: 'Measure and fit',
        items: [
          page('How a convolution is timed', 'measurement'),
          page('Energy', 'energy'),
          page('Designs', 'designs'),
          page('Executors', 'executors'),
          page('TensorFlow for Node', 'tfjs-node'),
          page('Models', 'models'),
          page('Networks', 'networks'),
          page('What holds of both papers', 'replication'),
        ],
      },
      {
        text: 'Use',
        items: [
          page('Command line', 'cli'),
          page('Dashboard', 'dashboard'),
          page('API', 'api'),
          page('Data sets', 'datasets'),
        ],
      },
      {
        text: 'Operate',
        items: [
          page('Deployment', 'deployment'),
          page('Add a node', 'nodes'),
          page('Slurm', 'slurm'),
          page('MongoDB', 'mongodb'),
          page('Security', 'security'),
          page('Reliability', 'reliability'),
        ],
      },
      {
        text: 'Develop',
        items: [
          page('Architecture', 'architecture'),
          page('Extend', 'extending'),
          page('Tests', 'testing'),
          page('Benchmarks', 'benchmarks'),
        ],
      },
      {
        text: 'Decisions',
        collapsed: true,
        items: readdirSync(join(docs, 'decisions'))
          .filter((name) => name.endsWith('.md'))
          .map((name) => page(name.slice(5, -3).replaceAll('-', ' '), `decisions/${name.slice(0, -3)}`)),
      },
    ],
  },
});
