import { z } from 'zod';
import { IdSchema, LineSchema, TimestampSchema } from './ids.js';

/** Roles of API tokens. Each role also has the permissions of those before it. */
export const ACCESS_ROLES = ['read-only', 'operator', 'admin'] as const;
export const AccessRoleSchema = z.enum(ACCESS_ROLES).meta({ id: 'AccessRole' });
export type AccessRole = z.infer<typeof AccessRoleSchema>;

export const ApiTokenRequestSchema = z
  .object({
    name: LineSchema.min(1).max(120).describe('who or what it is for; the audit log shows it'),
    role: AccessRoleSchema,
    expiresInS: z
      .int()
      .min(1)
      .max(10 * 365 * 24 * 3600)
      .nullable()
      .default(90 * 24 * 3600)
      .describe('null: never'),
  })
  .strict()
  .meta({ id: 'ApiTokenRequest' });
export type ApiTokenRequest = z.infer<typeof ApiTokenRequestSchema>;

export const ApiTokenSchema = z
  .object({
    id: IdSchema,
    name: z.string(),
    role: AccessRoleSchema,
    createdAt: TimestampSchema,
    expiresAt: TimestampSchema.nullable().describe('null: never'),
    revokedAt: TimestampSchema.nullable(),
  })
  .meta({ id: 'ApiToken' });
export type ApiToken = z.infer<typeof ApiTokenSchema>;

export const NewApiTokenSchema = ApiTokenSchema.extend({
  token: z.string().describe('shown once; only its digest is stored'),
}).meta({ id: 'NewApiToken' });
export type NewApiToken = z.infer<typeof NewApiTokenSchema>;

/** Default and largest lifetime of a sign-in link. */
const SIGN_IN_CODE_S = 15 * 60;
const MAX_SIGN_IN_CODE_S = 24 * 3600;

export const SignInCodeRequestSchema = z
  .object({
    role: AccessRoleSchema.default('admin').describe('of the session'),
    expiresInS: z.int().min(1).max(MAX_SIGN_IN_CODE_S).default(SIGN_IN_CODE_S),
  })
  .strict()
  .prefault({})
  .meta({ id: 'SignInCodeRequest' });
export type SignInCodeRequest = z.infer<typeof SignInCodeRequestSchema>;

/** A code with which a browser signs in once: `POST /v1/sessions` exchanges it for a token. */
export const SignInCodeSchema = z
  .object({
    id: IdSchema,
    role: AccessRoleSchema,
    expiresAt: TimestampSchema,
    code: z.string().describe('shown once; only its digest is stored'),
    path: z
      .string()
      .describe('path of the sign-in link at the address of the coordinator; the code is in its fragment'),
  })
  .meta({ id: 'SignInCode' });
export type SignInCode = z.infer<typeof SignInCodeSchema>;

export const AccessSchema = z
  .object({
    publicRead: z.boolean().describe('whether models, data sets and predictions are public'),
  })
  .meta({ id: 'Access' });
export type Access = z.infer<typeof AccessSchema>;

/** One action of a user or of the system. It has no body and no header of the request, so that it cannot contain a secret. */
export const AuditEntrySchema = z
  .object({
    id: IdSchema,
    at: TimestampSchema,
    actor: z.object({
      kind: z
        .enum([...ACCESS_ROLES, 'join', 'sign-in', 'system'])
        .describe('role or kind of the token; system: alphaflops itself'),
      tokenId: IdSchema.nullable(),
      name: z.string().describe('of the token'),
    }),
    action: z.string().describe('such as campaigns.create'),
    targetId: IdSchema.nullable().describe('the object of the action, or the object that it made'),
    status: z
      .int()
      .nullable()
      .describe('HTTP status of the answer; null: the system did it, without a request'),
    requestId: z.string().nullable(),
    address: z.string().nullable().describe('of the client'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntrySchema>;
