// `hold.mjs FILE [UID]`: opens the file, says so, and holds it until its input ends. With a user id, it becomes that user
// first: its program is loaded by then, so that the user need not be able to read the checkout.
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
