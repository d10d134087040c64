import { log } from '@alphaflops/elementary';
import { z } from 'zod';
import { compileModelTree, ModelTreeSchema, ShapeRow } from '../axes/model-tree.js';
import { shapeOf } from '../axes/shape.js';
import { sharedFits } from '../axes/shared-fits.js';
import { ModelError } from '../error.js';
import type { Form } from '../form.js';
import { boostMembers, BoostedMembersSchema, compileMembers } from './members.js';

const ExtraSchema = BoostedMembersSchema.extend({
  schema: z.literal('boosted/1'),
  bases: z.array(ModelTreeSchema),
}).refine(({ bases, members }) => bases.length === members.length, 'one base for each member');

/**
 * Gradient-boosted trees on the residuals of `alpha-axes`. It has five members, and each is fitted without one fold of shapes.
 * The prediction is the median of their log times. The errors of each member on its own fold are the held-out errors.
 */
export const boostedForm: Form = {
  name: 'boosted',
  description:
    'alpha-axes times exp(gradient-boosted trees), median of five members fitted without a fold each',
  parameters: [],
  leastShapes: 150,
  // the median of five is 6 to 18 % better on new shapes than single members on theirs (docs/benchmarks.md)
  pessimism: 1.05,
  losses: ['relative'],

  fit(samples, context) {
    const { frame, members: bases } = sharedFits(samples, context);
    const { members, outOfFold } = boostMembers(frame, bases, context);
    const extra: z.infer<typeof ExtraSchema> = {
      schema: 'boosted/1',
      bases: bases.map(({ tree }) => tree),
      ...members,
    };
    return { groups: [], extra, notes: [], outOfFold };
  },

  compile({ extra }) {
    const parsed = ExtraSchema.safeParse(extra);
    if (!parsed.success) {
      const problem = z.prettifyError(parsed.error);
      throw new ModelError('bad-document', `the form boosted is not readable:\n${problem}`);
    }
    const { bases, ...members } = parsed.data;
    const predict = compileMembers(members);
    const trees = bases.map(compileModelTree);
    const at = new ShapeRow(members.processors);
    return (spec) => {
      const shape = shapeOf(spec);
      at.fill(shape);
      return predict(shape, (m) => log(trees[m]?.(shape, at) ?? NaN));
    };
  },
};
