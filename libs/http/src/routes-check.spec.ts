import { Controller, Get, Post } from '@nestjs/common';
import { type DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { AllowAccess } from './access.js';
import { RoutesCheck } from './routes-check.js';

@Controller('a')
class Declared {
  @Get()
  @AllowAccess('public')
  list() {
    return this.notARoute();
  }
  notARoute() {
    return [];
  }
}

@Controller('b')
class Undeclared extends Declared {
  @Post()
  create() {
    return null;
  }
}

function check(...controllers: unknown[]): RoutesCheck {
  const discovery = { getControllers: () => controllers.map((metatype) => ({ metatype })) };
  return new RoutesCheck(discovery as unknown as DiscoveryService, new MetadataScanner(), new Reflector());
}

describe('a route that does not declare who may call it', () => {
  it('prevents the start of the coordinator, and is named', () => {
    expect(() => {
      check(Declared).onApplicationBootstrap();
    }).not.toThrow();
    expect(() => {
      check(Declared, Undeclared).onApplicationBootstrap();
    }).toThrow('Undeclared.create');
  });
});
