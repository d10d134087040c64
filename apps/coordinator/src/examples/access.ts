import {
  AccessSchema,
  ApiTokenRequestSchema,
  ApiTokenSchema,
  AuditEntrySchema,
  HealthSchema,
  JoinTokenRequestSchema,
  JoinTokenSchema,
  NewApiTokenSchema,
  NewJoinTokenSchema,
  ProblemSchema,
  ReasonSchema,
  SignInCodeRequestSchema,
  SignInCodeSchema,
} from '@alphaflops/contracts';
import { exampleOf } from './example.js';

exampleOf(ApiTokenRequestSchema, { name: 'nightly campaigns', role: 'operator', expiresInS: 2_592_000 });

const apiToken = exampleOf(ApiTokenSchema, {
  id: '0f6c2f7e-53c1-4f0e-9f4b-6a1d2c0b7e11',
  name: 'nightly campaigns',
  role: 'operator',
  createdAt: '2026-03-02T09:00:00.000Z',
  expiresAt: '2026-04-01T09:00:00.000Z',
  revokedAt: null,
});

exampleOf(NewApiTokenSchema, { ...apiToken, token: 'af_operator_EXAMPLE' });

const labels = { site: 'lab-1' };
exampleOf(JoinTokenRequestSchema, { name: 'rack 4', expiresInS: 3600, maxUses: 8, labels });

const joinToken = exampleOf(JoinTokenSchema, {
  id: 'b7d0a3c2-1f58-4c59-8a43-9be2f7d1c604',
  name: 'rack 4',
  labels,
  createdAt: '2026-03-02T09:05:00.000Z',
  expiresAt: '2026-03-02T10:05:00.000Z',
  maxUses: 8,
  uses: 1,
  revokedAt: null,
});

exampleOf(NewJoinTokenSchema, {
  ...joinToken,
  uses: 0,
  token: 'af_join_EXAMPLE',
  command: 'curl -fsS https://alphaflops.example.org/join.sh | sh -s -- af_join_EXAMPLE',
});

exampleOf(SignInCodeRequestSchema, { role: 'read-only', expiresInS: 3600 });

exampleOf(SignInCodeSchema, {
  id: 'c9e2b1a4-6d35-4f7e-8b0a-3f1c5d7e9a20',
  role: 'read-only',
  expiresAt: '2026-03-02T10:05:00.000Z',
  code: 'af_sign-in_EXAMPLE',
  path: '/#/sign-in/af_sign-in_EXAMPLE',
});

exampleOf(AuditEntrySchema, {
  id: 'audit-5d2f9c1e-7b64-4c0a-8f3e-2a9d6b1c4e70',
  at: '2026-03-02T09:05:00.000Z',
  actor: { kind: 'operator', tokenId: apiToken.id, name: apiToken.name },
  action: 'join-tokens.create',
  targetId: joinToken.id,
  status: 201,
  requestId: 'c3a1e5d0-8d2b-4a57-b6f1-4e9c7d2a0f35',
  address: '192.0.2.17',
});

exampleOf(AccessSchema, { publicRead: false });

exampleOf(ReasonSchema, { reason: 'the room is being serviced' });

exampleOf(HealthSchema, { status: 'ok', checks: { store: 'ok', queue: 'ok' } });

exampleOf(ProblemSchema, {
  type: 'urn:alphaflops:problem:not-found',
  title: 'Not Found',
  status: 404,
  code: 'not-found',
  detail: 'There is no campaign "c-20260302-0badc0de".',
  requestId: 'c3a1e5d0-8d2b-4a57-b6f1-4e9c7d2a0f35',
});
