/** A setting, a file or a directory of the deployment that cannot be used. The message says which, and what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'bad-environment';
}
