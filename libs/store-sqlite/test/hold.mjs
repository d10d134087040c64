// `hold.mjs FILE [UID]`: opens the file, reports it on the output, and keeps it open until the input ends. With a
// user id, the process changes to that user first. The program is loaded by then, so the user needs no read
// permission for the checkout.
import { openSqliteStores } from '@alphaflops/store-sqlite';

const [file, uid] = process.argv.slice(2);
if (uid !== undefined) {
  process.setgroups([]);
  process.setgid(Number(uid));
  process.setuid(Number(uid));
}
try {
  const stores = await openSqliteStores(file);
  console.log(JSON.stringify({ opened: true }));
  process.stdin.resume().on('end', () => void stores.close());
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
