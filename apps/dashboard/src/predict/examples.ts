import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { type Network, readNetworkFile } from './read-network.js';

/** Example networks; tools/example-networks.mjs writes the files. */
export const EXAMPLES = [
  {
    id: 'resnet-50',
    name: 'ResNet-50',
    url: new URL('../../examples/resnet-50.onnx', import.meta.url).href,
  },
  {
    id: 'mobilenet-v2',
    name: 'MobileNetV2',
    url: new URL('../../examples/mobilenet-v2.onnx', import.meta.url).href,
  },
  {
    id: 'vgg-16',
    name: 'VGG-16',
    url: new URL('../../examples/vgg-16.onnx', import.meta.url).href,
  },
  {
    id: 'u-net-dilated',
    name: 'U-Net with dilation',
    url: new URL('../../examples/u-net-dilated.onnx', import.meta.url).href,
  },
] as const;
export type Example = (typeof EXAMPLES)[number];

/** The file of an example, like a file that the user chose. */
export async function exampleFile({ name, url }: Example): Promise<File> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`The example cannot be loaded: the server answered ${answer.status}.`);
  return new File([await answer.blob()], `${name}.onnx`);
}

/**
 * The layers of an example; empty without an example. * @param batch batch size
 */
export function useExample(example: Example | null, batch: number): UseQueryResult<Network> {
  return useQuery({
    queryKey: ['example', example?.id, batch],
    queryFn: async () => readNetworkFile([await exampleFile(example as Example)], { batch }),
    enabled: example !== null,
    staleTime: Infinity,
  });
}

/** Lists the operations that are not in the total, because they do not multiply. Returns null if the total has all operations. */
export function uncountedText({ notCosted }: Pick<Network, 'notCosted'>): string | null {
  const free = notCosted.filter(({ reason }) => reason === null);
  if (free.length === 0) return null;
  const list = free.map(({ op, count }) => `${count} ${op}`).join(', ');
  return `Not in the total, because they do not multiply: ${list}. They also take time.`;
}
