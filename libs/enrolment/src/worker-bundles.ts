/** Platforms with a worker bundle, as `process.platform`-`process.arch`. */
export const BUNDLE_PLATFORMS = ['linux-x64', 'linux-arm64'] as const;
export type BundlePlatform = (typeof BUNDLE_PLATFORMS)[number];

/** A worker with all its dependencies, packed as tar.gz. */
export interface WorkerBundle {
  /** Absolute path of the archive. */
  readonly file: string;
  /** SHA-256 of the archive, hexadecimal. */
  readonly sha256: string;
  /** The build id of the worker in it. It changes with the content, not with the platform. */
  readonly id: string;
}

/** The source of the bundles that join.sh installs. The app provides it. */
export abstract class WorkerBundles {
  /** Null if this platform has no bundle and none can be made here. Making a bundle may take seconds. */
  abstract find(platform: BundlePlatform): Promise<WorkerBundle | null>;
}
