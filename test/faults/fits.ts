import { setTimeout } from 'node:timers/promises';
import type { FitState } from '@alphaflops/contracts';
import type { Stores } from '@alphaflops/store';
import type { Stack } from '../support/stack.js';

/** A fitter that does not start a fit within this time is killed anyway. */
const BEGIN_LIMIT_MS = 10_000;
/** The time limit for fits after the last fault. */
const END_LIMIT_MS = 90_000;
const ANSWER_LIMIT_MS = 10_000;

/** Fits of the device class that are requested while fitters die. Each must publish one model. */
export class Fits {
  private readonly ids: string[] = [];
  /** Number of requests without an answer. Whether their fits exist is unknown. */
  private unanswered = 0;

  constructor(
    private readonly stack: Stack,
    private readonly deviceClassId: string,
  ) {}

  /** Requests a fit and waits until a fitter has started it. Resolves with the result. */
  async askForOne(): Promise<string> {
    const asked = await this.call<FitState>('POST', `/v1/device-classes/${this.deviceClassId}/fits`, {
      form: 'alpha-latency',
    });
    if (asked === null) {
      this.unanswered += 1;
      return 'no coordinator took a fit';
    }
    this.ids.push(asked.id);
    const deadline = performance.now() + BEGIN_LIMIT_MS;
    while (performance.now() < deadline) {
      const fit = await this.state(asked.id);
      if (fit?.state === 'active') return 'in the middle of a fit';
      if (fit?.state === 'completed') return 'after a fit';
      await setTimeout(10);
    }
    return 'before a fit';
  }

  /** Waits for unfinished fits and returns a description of all problems. */
  async judge(): Promise<string[]> {
    const problems: string[] = [];
    const models = new Set<string>();
    const deadline = performance.now() + END_LIMIT_MS;
    for (const id of this.ids) {
      let fit = await this.state(id);
      while (!isEnded(fit) && performance.now() < deadline) {
        await setTimeout(250);
        fit = (await this.state(id)) ?? fit;
      }
      if (fit?.state === 'completed') models.add(fit.modelId ?? '');
      else problems.push(`fit ${id} is ${fit?.state ?? 'unknown'} at the end: ${fit?.reason ?? ''}`);
    }
    if (problems.length === 0 && models.size < this.ids.length) {
      problems.push(`${this.ids.length} fits made ${models.size} models`);
    }
    return problems;
  }

  /** Checks the store: one model per fit, including the fit of the campaign, and no gap in the versions. */
  async verifyStored(stores: Stores): Promise<string[]> {
    const { items } = await stores.models.list({ deviceClassId: this.deviceClassId }, { limit: 200 });
    const versions = items.map(({ version }) => version ?? 0).sort((a, b) => a - b);
    const expected = this.ids.length + 1;
    const isRight = versions.length >= expected && versions.length <= expected + this.unanswered;
    if (isRight && versions.every((version, i) => version === i + 1)) return [];
    return [`for ${expected} fits there are the versions ${versions.join(', ')}`];
  }

  private state(id: string): Promise<FitState | null> {
    return this.call<FitState>('GET', `/v1/fits/${id}`);
  }

  private async call<T>(method: string, path: string, body?: object): Promise<T | null> {
    try {
      const answer = await fetch(this.stack.url + path, {
        method,
        headers: { authorization: `Bearer ${this.stack.token}`, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      return answer.ok ? ((await answer.json()) as T) : null;
    } catch {
      return null;
    }
  }
}

function isEnded(fit: FitState | null): boolean {
  return fit?.state === 'completed' || fit?.state === 'failed';
}
