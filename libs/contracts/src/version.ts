/** Version of all packages of this repository; test/workspace.spec.ts holds them together. */
export const VERSION = '0.1.0';
