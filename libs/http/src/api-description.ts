// Descriptions for the API page. Their package takes half a second to load, so it is loaded at the first request of the page.
import type * as swagger from '@nestjs/swagger';

type Swagger = typeof swagger;
type Decorator = ClassDecorator & MethodDecorator;

const kept: ((api: Swagger) => void)[] = [];

/** A decorator of @nestjs/swagger, applied by `describeRoutes`. */
export function describedBy(decorator: (api: Swagger) => ClassDecorator | MethodDecorator): Decorator {
  return (...decorated: unknown[]): void => {
    kept.push((api) => {
      (decorator(api) as (...decorated: unknown[]) => void)(...decorated);
    });
  };
}

/** The chapter of the page with the routes of a controller. */
export const ApiTags = (...tags: string[]): Decorator => describedBy((api) => api.ApiTags(...tags));

/** Must run before @nestjs/swagger reads the routes. */
export async function describeRoutes(): Promise<void> {
  const api = await import('@nestjs/swagger');
  for (const describe of kept.splice(0)) describe(api);
}
