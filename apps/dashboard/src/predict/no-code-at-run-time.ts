import { config } from 'zod';

/** zod would make code out of schemas, which the page's policy forbids. Has to be imported before any schema is. */
config({ jitless: true });
