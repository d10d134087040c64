// Descriptions for the API page. The package that they are for takes half a second to load: it is when the page is asked for first.
import type * as swagger from '@nestjs/swagger';

type Swagger = typeof swagger;
type Decorator = ClassDecorator & MethodDecorator;

const kept: ((api: Swagger) => void)[] = [];

/** A decorator of @nestjs/swagger, put on by `describeRoutes`. */
export function describedBy(decorator: (api: Swagger) => ClassDecorator | MethodDecorator): Decorator {
  return (...decorated: unknown[]): void => {
    kept.push((api) => {
      (decorator(api) as (...decorated: unknown[]) => void)(...decorated);
    });
  };
}

/** The chapter of the page that the routes of a controller stand in. */
export const ApiTags = (...tags: string[]): Decorator => describedBy((api) => api.ApiTags(...tags));

/** Before @nestjs/swagger looks at the routes. */
export async function describeRoutes(): Promise<void> {
  const api = await import('@nestjs/swagger');
  for (const describe of kept.splice(0)) describe(api);
}
