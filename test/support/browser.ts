import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import axe from 'axe-core';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { until } from './stack.js';

const root = resolve(import.meta.dirname, '../..');
const SCREENSHOTS = join(root, 'test-results/dashboard');

/** The browser that tools/chromium-for-tests.mjs finds or installs on this machine. */
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

/** A browser with a separate profile, and all errors that occurred in it. */
export class Tab {
  /** Errors on the console, uncaught exceptions, and requests that the policy of the page refused. */
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

  /** Stores a screenshot as a test artefact. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }

  /** Returns the findings of axe-core on the present page that are at least serious. */
  async seriousFindings(): Promise<string[]> {
    await this.page.evaluate(axe.source);
    const { violations } = await this.page.evaluate(() =>
      (window as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  }

  /** Opens a page of the dashboard and waits for its heading and until everything is loaded. */
  async go(url: string, path: string, heading: string): Promise<void> {
    await this.page.goto(`${url}/#${path}`);
    await this.page.getByRole('heading', { level: 1, name: heading }).waitFor();
    await until(
      () => this.page.getByText(/^Loading /).count(),
      (loading) => loading === 0,
    );
  }

  /** Checks a page in light mode, in dark mode and on a phone, and stores a screenshot of each. */
  async look(name: string): Promise<string[]> {
    const findings: string[] = [];
    for (const theme of ['light', 'dark'] as const) {
      await this.page.getByLabel('Colours').selectOption(theme);
      findings.push(...(await this.seriousFindings()));
      await this.screenshot(`${name}-${theme}`);
    }
    await this.page.setViewportSize(PHONE);
    const overflow = await this.overflow();
    if (overflow > 0) findings.push(`${overflow} px wider than a phone`);
    await this.screenshot(`${name}-phone`);
    await this.page.setViewportSize(DESK);
    return findings;
  }

  /** Returns the text that a button copies to the clipboard. */
  async copied(button: string): Promise<string> {
    await this.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await this.page.getByRole('button', { name: button }).first().click();
    await this.page.getByRole('button', { name: 'Copied' }).first().waitFor();
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Returns by how many CSS pixels the content is wider than the window. */
  async overflow(): Promise<number> {
    return this.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  }
}
