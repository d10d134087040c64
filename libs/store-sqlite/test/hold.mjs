// Opens the file that is named, says so, and holds it until its input ends.
import { openSqliteStores } from '@alphaflops/store-sqlite';

try {
  const stores = await openSqliteStores(process.argv[2]);
  console.log(JSON.stringify({ opened: true }));
  process.stdin.resume().on('end', () => void stores.close());
} catch (error) {
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
