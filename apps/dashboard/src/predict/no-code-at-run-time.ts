import { config } from 'zod';

/** zod would generate code from schemas, but the page's policy forbids this. Import this module before any schema. */
config({ jitless: true });
