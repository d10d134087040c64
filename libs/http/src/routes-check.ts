import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { accessOf } from './access.js';

/** The metadata key under which Nest keeps the path of a route handler. */
const PATH = 'path';

/** The coordinator does not start with a route that does not declare who may call it. */
@Injectable()
export class RoutesCheck implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    const open = this.discovery.getControllers().flatMap(({ metatype }) => {
      const prototype = (metatype as { prototype?: object } | null)?.prototype;
      if (prototype === undefined) return [];
      return this.scanner
        .getAllMethodNames(prototype)
        .filter((name) => {
          const handler = Reflect.get(prototype, name) as Parameters<Reflector['get']>[1];
          const isRoute = this.reflector.get<unknown>(PATH, handler) !== undefined;
          return isRoute && accessOf(this.reflector, handler) === undefined;
        })
        .map((name) => `${metatype?.name ?? ''}.${name}`);
    });
    if (open.length > 0) {
      throw new Error(`Routes that do not declare who may call them (AllowAccess): ${open.join(', ')}.`);
    }
  }
}
