/** Platforms that a worker's bundle exists for, as `process.platform`-`process.arch`. */
export const BUNDLE_PLATFORMS = ['linux-x64', 'linux-arm64'] as const;
export type BundlePlatform = (typeof BUNDLE_PLATFORMS)[number];

/** A worker with everything it needs, packed as tar.gz. */
export interface WorkerBundle {
  /** Absolute path of the archive. */
  readonly file: string;
  /** SHA-256 of the archive, hexadecimal. */
  readonly sha256: string;
  /** What the worker in it calls itself; changes with its content, not with the platform. */
  readonly id: string;
}

/** Where this deployment has the bundles that join.sh installs. The app provides it. */
export abstract class WorkerBundles {
  /** Null when no bundle exists for this platform and none can be made here. It may take seconds to make one. */
  abstract find(platform: BundlePlatform): Promise<WorkerBundle | null>;
}
