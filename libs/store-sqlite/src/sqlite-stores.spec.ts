import { storeConformance } from '@alphaflops/store/conformance';
import { openTemporaryStores } from './testing.js';

storeConformance('SQLite', openTemporaryStores);
