import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import axe from 'axe-core';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const root = resolve(import.meta.dirname, '../..');
const SCREENSHOTS = join(root, 'test-results/dashboard');

/** What tools/chromium-for-tests.mjs says of this machine; it may install the browser. */
export const browser = JSON.parse(
  execFileSync(process.execPath, [
    '--input-type=module',
    '--eval',
    `import { chromiumForTests, CHROMIUM_ARGUMENTS } from ${JSON.stringify(join(root, 'tools/chromium-for-tests.mjs'))};
     console.log(JSON.stringify({ ...chromiumForTests(), arguments: CHROMIUM_ARGUMENTS }))`,
  ]).toString(),
) as { path?: string; skip?: string; arguments: string[] };

export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 900 };

/** A browser with a profile of its own, and everything that went wrong in it. */
export class Tab {
  /** What the console called an error, exceptions nobody caught, requests that were refused by the page's policy. */
  readonly errors: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
    private readonly profile: string,
  ) {
    page.on('pageerror', (error) => this.errors.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.errors.push(message.text());
    });
  }

  static async open(): Promise<Tab> {
    const profile = await mkdtemp(join(tmpdir(), 'alphaflops-chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: browser.path ?? '',
      args: browser.arguments,
      viewport: DESK,
    });
    return new Tab(context.pages()[0] ?? (await context.newPage()), context, profile);
  }

  async close(): Promise<void> {
    await this.context.close();
    await rm(this.profile, { recursive: true, force: true });
  }

  /** Keeps what is on the screen as a test artefact. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }

  /** Findings of axe-core on the page as it is now that are serious or worse. */
  async seriousFindings(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate(() =>
      (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }

  /** How much wider the content is than the window, in CSS pixels. */
  async overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  }
}
