import { ProtocolSchema } from '@alphaflops/contracts';
import { defaultProtocol, PROTOCOLS, protocolNamed } from './protocols.js';

it.each(Object.entries(PROTOCOLS))('%s is a valid protocol under its own name', (name, protocol) => {
  expect(ProtocolSchema.parse(protocol)).toEqual(protocol);
  expect(protocol.name).toBe(name);
  expect(protocolNamed(name)).toBe(protocol);
});

it('has a default for each kind of device', () => {
  expect(defaultProtocol('cpu').name).toBe('cpu');
  expect(defaultProtocol('gpu').name).toBe('gpu');
});

it.each(['gpuu', 'toString', ''])('refuses "%s" and names the registered protocols', (name) => {
  expect(() => protocolNamed(name)).toThrow(
    `there is no measuring protocol "${name}"; registered are gpu, gpu-cold, cpu, quick-cpu`,
  );
});
