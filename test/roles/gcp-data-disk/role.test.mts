import { expect } from 'chai';
import type { Inventory } from '../../../lib/index.mts';
import { gcp } from '../../../roles/gcp-instances/contract.mts';
import { readFound } from '../../../roles/gcp-data-disk/look.mts';
import { mountPoint, unitsOn } from '../../../roles/gcp-data-disk/place.mts';
import { gcpDataDisk } from '../../../roles/index.mts';
import { context, find, hostOf, inventory, steps } from '../support.mts';

const instances = (groups: Readonly<Record<string, string>>, vars = ''): Inventory =>
  inventory(`all:
  vars: { host_provider: gcp, gcp_project: my-project, gcp_zone: asia-northeast3-a, gcp_data_disk_gb: 100${vars} }
  hosts: { broker-01: { private_address: 10.0.0.21 } }
  children:
${Object.entries(groups)
  .map(([group, hosts]) => `    ${group}: { hosts: { ${hosts} } }\n`)
  .join('')}`);
const placeOf = (from: Inventory): string | undefined => mountPoint(hostOf(from, 'broker-01'), from);

describe('gcp-data-disk', () => {
  it('is mounted where what the host runs keeps its data, unless that is said', () => {
    expect(placeOf(instances({ es_masters: 'broker-01: ' }))).to.equal('/var/lib/elasticsearch');
    expect(placeOf(instances({ brokers: 'broker-01: ' }))).to.equal('/var/lib/kafka');
    expect(placeOf(instances({ controllers: 'broker-01: ' }, ', kafka_data_dirs: [/data/one, /data/two]'))).to.equal('/data/one');
    expect(placeOf(instances({ zookeepers: 'broker-01: ' }, ', kafka_mode: zookeeper'))).to.equal('/var/lib/zookeeper');
    expect(placeOf(instances({ zookeepers: 'broker-01: ', brokers: 'broker-01: ' }, ', kafka_mode: zookeeper'))).to.equal('/var/lib/kafka');
    expect(placeOf(instances({ brokers: 'broker-01: ', es_data: 'broker-01: ' }, ', gcp_data_disk_mount: /srv'))).to.equal('/srv');
  });

  for (const [name, from] of Object.entries({
    'runs both': instances({ brokers: 'broker-01: ', es_data: 'broker-01: ' }),
    'runs neither': instances({ monitoring: 'broker-01: ' }),
    'is run by others': instances({ brokers: 'broker-01: ' }, ', kafka_managed: false'),
  }))
    it(`asks to say where on a host that ${name}`, () => {
      const here = context(gcp, from, 'broker-01');
      expect(gcpDataDisk.refuses?.(here)).to.have.length(1);
      expect(gcpDataDisk.refuses?.(here)[0]).to.deep.include({ kind: 'usage' });
      expect(gcpDataDisk.resources(here)).to.deep.equal([]);
    });

  it('has nothing to ask of a host without a data disk', () => {
    const here = context(gcp, instances({ brokers: 'broker-01: { gcp_data_disk_gb: 10 }' }), 'broker-01');
    const { data_disk_gb: _, ...vars } = here.vars;
    const without = { ...here, vars };
    expect(gcpDataDisk.refuses?.(without)).to.deep.equal([]);
    expect(gcpDataDisk.objects?.(without).asks).to.deep.equal([]);
    expect(gcpDataDisk.resources(without)).to.deep.equal([]);
    expect(gcpDataDisk.verify?.(without)).to.deep.equal([]);
  });

  it('lets no service that keeps data on it start without it', () => {
    const from = instances({ zookeepers: 'broker-01: ', brokers: 'broker-01: ' }, ', kafka_mode: zookeeper, gcp_data_disk_mount: /var/lib');
    expect(unitsOn('/var/lib', hostOf(from, 'broker-01'), from)).to.deep.equal(['kafka.service', 'zookeeper.service']);
    expect(unitsOn('/var/lib/kafk', hostOf(from, 'broker-01'), from)).to.deep.equal([]);
    const resources = gcpDataDisk.resources(context(gcp, instances({ es_masters: 'broker-01: ' }), 'broker-01'));
    expect(steps(find(resources, 'unit elasticsearch.service.d/60-data-disk.conf')))
      .to.include('/etc/systemd/system/elasticsearch.service.d/60-data-disk.conf')
      .and.to.include('\nRequiresMountsFor=/var/lib/elasticsearch\n');
  });

  it('asks once for everything that it wants to know', () => {
    const here = context(gcp, instances({ brokers: 'broker-01: ' }), 'broker-01');
    const asks = [...gcpDataDisk.resources(here).flatMap(({ differs }) => differs.asks), ...(gcpDataDisk.objects?.(here).asks ?? [])];
    expect(new Set(asks.flatMap((ask) => (ask.at === 'host' && ask.kind === 'shell' ? [ask.key] : []))).size).to.equal(1);
  });

  describe('what a host says', () => {
    const mount = (line: string): string => `mount ${line}\n`;
    const root = '24 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw,discard';
    const read = (text: string) => readFound(`${text}point /var/lib/kafka\n`);
    const ext4 = 'disk 8:16 107374182400 /dev/sdb\ncontent ext4 0f5b 105553116266\n';

    it('a disk that is mounted, read-only after an error', () => {
      const answer = read(`${ext4}${mount('100 24 8:16 / /var/lib/kafka rw,relatime shared:50 master:1 - ext4 /dev/sdb ro,discard')}lost+found empty\n`);
      expect(answer).to.deep.equal({
        kind: 'known',
        value: {
          disk: { device: '/dev/sdb', bytes: 107374182400, content: { kind: 'ext4', uuid: '0f5b', bytes: 105553116266 } },
          mounts: [{ number: '8:16', root: '/', point: '/var/lib/kafka', source: '/dev/sdb', writable: false }],
          stranger: undefined,
          entries: [],
          lostAndFound: 'empty',
        },
      });
    });

    it('a stranger at the mount point, also above the disk itself', () => {
      const own = mount('100 24 8:16 / /var/lib/kafka rw - ext4 /dev/sdb rw');
      const other = mount('101 100 0:40 / /var/lib/kafka rw - tmpfs tmpfs rw');
      expect(read(`${ext4}${mount(root)}${own}${other}`)).to.have.nested.property('value.stranger.source', 'tmpfs');
      expect(read(`${ext4}${mount(root)}${other}${own}`)).to.have.nested.property('value.stranger', undefined);
    });

    it('no disk at all', () => {
      expect(read('entry nodes\nentry a b\n')).to.deep.equal({
        kind: 'known',
        value: { disk: undefined, mounts: [], stranger: undefined, entries: ['nodes', 'a b'], lostAndFound: 'absent' },
      });
    });

    it('something else: it is no blank disk', () => {
      expect(read('disk 8:16 1 /dev/sdb\ncontent \n').kind).to.equal('unavailable');
      expect(read('disk 8:16 1 /dev/sdb\ncontent blank but\n').kind).to.equal('unavailable');
    });
  });
});
