import { fetchRaw, type Session } from './session.js';

/** Saves an answer as a file. A browser keeps it in memory meanwhile; for millions of samples there is the API. */
export async function download(
  session: Pick<Session, 'token'>,
  path: string,
  fileName: string,
): Promise<void> {
  const answer = await fetchRaw(session, path);
  saveBlob(await answer.blob(), fileName);
}

/** Gives the person a file. */
export function saveBlob(blob: Blob, fileName: string): void {
  const address = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), { href: address, download: fileName }).click();
  URL.revokeObjectURL(address);
}
