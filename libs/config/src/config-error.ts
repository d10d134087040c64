/** A setting, a file or a directory of the deployment cannot be used. The message names it, and says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'bad-environment';
}
