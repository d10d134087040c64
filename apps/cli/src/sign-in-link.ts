import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ApiClient } from '@alphaflops/api-client';
import { type Config, httpUrl, isLoopback, publicHost } from '@alphaflops/config';
import type { SignInCodeRequest } from '@alphaflops/contracts';
import { errorText as messageOf } from '@alphaflops/contracts/text';
import { answered } from './pages.js';

/** The end of the program that opens a URL. */
interface Opener {
  readonly exitCode: number | null;
  once(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'exit', listener: (exitCode: number | null) => void): unknown;
}

/** The program that opens a URL ends within a moment, unless it becomes the browser itself. */
const OPENED_WITHIN_MS = 3_000;

/**
 * A link that signs a browser in once.
 * @param address of the coordinator for the browser
 * @throws ApiError
 */
export async function signInLink(
  api: ApiClient,
  address: string,
  request: Partial<SignInCodeRequest> = {},
): Promise<string> {
  const { data } = await api.POST('/v1/sign-in-codes', { body: request });
  return address.replace(/\/+$/, '') + answered(data).path;
}

/** The address of a coordinator that `up` runs, for a browser on the user's machine. */
export function browserAddress({ host, publicUrl, tls }: Config, url: string): string {
  if (publicUrl !== null) return publicUrl;
  if (isLoopback(host)) return url;
  return httpUrl(publicHost(host), new URL(url).port || (tls === null ? 80 : 443), tls ? 'https' : 'http');
}

/**
 * Opens the link in the browser of this machine. A file that only this user can read contains the link, because other
 * users can read the arguments of programs.
 *
 * @param directory of this user alone, for the file; call `forget` to remove it after the browser has read it
 * @param open starts the program that opens a URL
 * @returns the reason why no browser was opened, or null
 */
export async function openBrowser(
  link: string,
  directory: string,
  open: (url: string) => Promise<Opener> = openByDefault,
): Promise<{ trouble: string | null; forget: () => Promise<void> }> {
  const file = join(directory, 'open-browser.html');
  const forget = () => rm(file, { force: true });
  try {
    await rm(file, { force: true });
    await writeFile(file, redirectTo(link), { mode: 0o600, flag: 'wx' });
    return { trouble: await troubleOf(await open(pathToFileURL(file).href)), forget };
  } catch (error) {
    return { trouble: messageOf(error), forget };
  }
}

async function openByDefault(url: string): Promise<Opener> {
  const { default: open } = await import('open');
  return open(url);
}

/** The reason why the program that opens URLs failed; null if it did not fail within a moment. */
async function troubleOf(opener: Opener): Promise<string | null> {
  if (opener.exitCode !== null) return endingOf(opener.exitCode);
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, OPENED_WITHIN_MS, null);
    const settle = (trouble: string | null): void => {
      clearTimeout(patience);
      resolve(trouble);
    };
    opener.once('error', (error) => {
      settle(error.message);
    });
    opener.once('exit', (exitCode) => {
      settle(endingOf(exitCode));
    });
  });
}

function endingOf(exitCode: number | null): string | null {
  return exitCode === 0 ? null : `the program that opens browsers ended with ${exitCode ?? 'a signal'}`;
}

/** The code consists of characters that need no escape in HTML; the address was parsed as a URL. */
function redirectTo(link: string): string {
  const { href } = new URL(link);
  const attribute = href.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  return `<!doctype html>
<meta charset="utf-8" />
<meta name="referrer" content="no-referrer" />
<meta http-equiv="refresh" content="0; url=${attribute}" />
<title>alphaflops</title>
<p>Opening <a href="${attribute}">the dashboard</a> …</p>
`;
}
