import type { Campaign, Model, Worker } from '../api.js';
import { attentionOf } from './attention.js';

const NOW = Date.parse('2026-03-09T12:00:00Z');
const worker = (changes: Partial<Worker>) =>
  ({
    id: 'w-1',
    name: 'rack-7',
    presence: 'online',
    desiredState: 'active',
    disturbance: null,
    ...changes,
  }) as Worker;
const campaign = (changes: Partial<Campaign>) =>
  ({
    ...{ id: 'c-1', name: 'nightly', state: 'failed', updatedAt: '2026-03-08T12:00:00Z' },
    history: [{ state: 'failed', at: '2026-03-08T12:00:00Z', reason: 'too few good samples' }],
    ...changes,
  }) as Campaign;
const model = (changes: Partial<Model>) =>
  ({
    id: 'm-2',
    deviceClassId: 'class-a',
    status: 'candidate',
    statusReason: 'error 9 % > 8 %',
    ...changes,
  }) as Model;
const nothing = { workers: [], campaigns: [], latestModels: [], nowMs: NOW };

describe('attentionOf', () => {
  it('says nothing where all is well', () => {
    const known = {
      workers: [worker({}), worker({ presence: 'stale', desiredState: 'draining' })],
      campaigns: [campaign({ state: 'completed' }), campaign({ updatedAt: '2026-01-01T00:00:00Z' })],
      latestModels: [model({ status: 'published' })],
      nowMs: NOW,
    };
    expect(attentionOf(known)).toEqual([]);
  });

  it.each([
    ['an offline worker', { workers: [worker({ presence: 'offline' })] }, /rack-7 is offline/, '/workers'],
    [
      'a worker that stays disturbed',
      { workers: [worker({ disturbance: 'other programs use the CPU' })] },
      /rack-7 stay disturbed.*other programs/,
      '/workers',
    ],
    ['a failed campaign', { campaigns: [campaign({})] }, /nightly failed.*too few/, '/campaigns/c-1'],
    ['a candidate', { latestModels: [model({})] }, /m-2 is not served.*9 %/, '/devices/class-a'],
  ])('names %s with the reason and the page', (_, known, text, href) => {
    const [found, ...others] = attentionOf({ ...nothing, ...known });
    expect(others).toEqual([]);
    expect(`${found?.what ?? ''}: ${found?.why ?? ''}`).toMatch(text);
    expect(found?.href).toBe(href);
  });

  it('distinguishes two workers of the same name', () => {
    const workers = ['w-1', 'w-2'].map((id) => worker({ id, presence: 'offline' }));
    const found = attentionOf({ ...nothing, workers });
    expect(new Set(found.map(({ key }) => key)).size).toBe(2);
  });
});
