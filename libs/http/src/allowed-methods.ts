import type { ApiRequest } from './request.js';

/** The fields of a route in Express, which its types do not contain. */
interface Layer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** The methods of the routes at the path of a request, in upper case; empty if there is no route. */
export function allowedMethods(request: ApiRequest): string[] {
  const { router } = request.app as unknown as { router: { stack: readonly Layer[] } };
  const methods = new Set<string>();
  for (const layer of router.stack) {
    if (layer.route === undefined || !layer.match(request.path)) continue;
    for (const method of Object.keys(layer.route.methods)) methods.add(method.toUpperCase());
  }
  methods.delete('_ALL');
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].sort();
}
