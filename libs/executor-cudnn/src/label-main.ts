/** The process that requests kernels from cuDNN. It is separate because cuDNN ends its whole process when one of its libraries is missing. */
import { errorText } from '@alphaflops/contracts';
import { type LabelReply, LabelRequestSchema } from './label-messages.js';
import { KernelLabeller } from './labeller.js';

let labeller: KernelLabeller | null = null;

function answer(message: unknown): LabelReply {
  try {
    const request = LabelRequestSchema.parse(message);
    if (request.kind === 'open') {
      labeller = new KernelLabeller(request.options);
      return { kind: 'opened', cudnn: labeller.cudnn, computeCapability: labeller.computeCapability };
    }
    if (labeller === null) throw new Error('asked before it was opened');
    const { label } = { label: labeller.label.bind(labeller) };
    return { kind: 'labelled', labels: request.specs.map(label) };
  } catch (error) {
    return { kind: 'failed', message: errorText(error) };
  }
}

process.on('message', (message) => {
  process.send?.(answer(message));
});
