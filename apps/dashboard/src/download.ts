import { fetchRaw, type Session } from './session.js';

/** Saves an answer as a file. The browser keeps it in memory meanwhile, so use the API for millions of samples. */
export async function download(
  session: Pick<Session, 'token'>,
  path: string,
  fileName: string,
): Promise<void> {
  const answer = await fetchRaw(session, path);
  saveBlob(await answer.blob(), fileName);
}

/** Starts the download of a file. */
export function saveBlob(blob: Blob, fileName: string): void {
  const address = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: address, download: fileName }).click();
  URL.revokeObjectURL(address);
}
