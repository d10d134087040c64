import type { Dataset } from '@alphaflops/contracts';

interface Licence {
  readonly name: string;
  readonly url: string;
}

export const LICENCES: Readonly<Record<Dataset['licence'], Licence>> = {
  'cc-by-4.0': {
    name: 'Creative Commons Attribution 4.0 International',
    url: 'https://creativecommons.org/licenses/by/4.0/',
  },
  'cc-by-sa-4.0': {
    name: 'Creative Commons Attribution-ShareAlike 4.0 International',
    url: 'https://creativecommons.org/licenses/by-sa/4.0/',
  },
  'cc0-1.0': {
    name: 'Creative Commons Zero 1.0 Universal',
    url: 'https://creativecommons.org/publicdomain/zero/1.0/',
  },
  'odc-by': {
    name: 'Open Data Commons Attribution License 1.0',
    url: 'https://opendatacommons.org/licenses/by/1-0/',
  },
  odbl: {
    name: 'Open Data Commons Open Database License 1.0',
    url: 'https://opendatacommons.org/licenses/odbl/1-0/',
  },
  pddl: {
    name: 'Open Data Commons Public Domain Dedication and License 1.0',
    url: 'https://opendatacommons.org/licenses/pddl/1-0/',
  },
  'apache-2.0': { name: 'Apache License 2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
  mit: { name: 'MIT License', url: 'https://opensource.org/license/mit' },
};

export function licenceText({ title, licence, creators }: Dataset): string {
  const { name, url } = LICENCES[licence];
  const by = creators.length === 0 ? '' : ` Attribution: ${creators.join(', ')}.`;
  return `The data set “${title}” is licensed under: ${name} (${licence}).${by}\n\nThe text of the licence: ${url}\n`;
}
