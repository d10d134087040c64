import { mixedInstallations } from './loaded-libraries.js';

const line = (path: string) =>
  `7f2c8e400000-7f2c8e600000 r-xp 00000000 fe:00 1234567                    ${path}`;

it('accepts parts of one installation, with any other loaded libraries', () => {
  const maps = ['/opt/a/libcudnn.so.9', '/opt/a/libcudnn_graph.so.9.19.0', '/opt/b/libcublasLt.so.13', ''];
  expect(mixedInstallations(maps.map(line).join('\n'))).toBeNull();
});

it('names both folders of a mixture', () => {
  const maps = ['/opt/a/libcudnn.so.9', '/opt/my libraries/libcudnn_ops.so.9'].map(line).join('\n');
  expect(mixedInstallations(maps)).toMatch(
    /from 2 installations: libcudnn\.so\.9 in \/opt\/a, libcudnn_ops\.so\.9 in \/opt\/my libraries/,
  );
});
