import { expect } from 'chai';
import { absolutePath, ownDirectory } from '../../lib/plan/variables.mts';

describe('sorts of variables', () => {
  const takes = (schema: typeof absolutePath, path: string): boolean => schema.safeParse(path).success;

  it('a path leads where it says', () => {
    for (const path of ['/opt/java', '/a..b/c', '/opt/.hidden', '/opt/c++/x-1.0']) expect(takes(absolutePath, path), path).to.equal(true);
    for (const path of ['opt', '../../etc/passwd', '/var/lib/../../etc/passwd', '/a/..', '/a/./b', '/../x', '/a b', '/a$(id)', "/a'b", '/a\nb', '/', ''])
      expect(takes(absolutePath, path), path).to.equal(false);
  });

  it('a folder that a role makes its own is none of the system', () => {
    for (const path of ['/data', '/data/kafka', '/var/lib/kafka', '/mnt/disk1/', '/srv/kafka', '/usr/local/kafka', '/libre', '/home/kafka'])
      expect(takes(ownDirectory, path), path).to.equal(true);
    for (const path of [
      '/etc',
      '/etc/kafka',
      '//etc/kafka',
      '/var/lib',
      '/var/lib/',
      '/usr',
      '/usr/local',
      '/lib64/x',
      '/proc/1',
      '/run/kafka',
      '/home',
      '/tmp',
      '/root/',
      '/dev/shm',
      '/mnt',
    ])
      expect(takes(ownDirectory, path), path).to.equal(false);
  });
});
