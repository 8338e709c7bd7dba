import { expect } from 'chai';
import { find, context, steps, hostOf } from '../support.mts';
import { chain, type World } from '../logstash/world.mts';
import { tracksConsumer } from '../../../roles/tracks-consumer/contract.mts';
import consumer, { withoutPartition } from '../../../roles/tracks-consumer/role.mts';
import { tracksProducer } from '../../../roles/tracks-producer/contract.mts';
import producer from '../../../roles/tracks-producer/role.mts';
import { tracksCsv } from '../../../roles/tracks-producer/tracks.mts';

const fields = (text: string): readonly (readonly string[])[] =>
  text
    .trim()
    .split('\n')
    .map((line) => line.split(','));

describe('tracks.csv', () => {
  const rows = fields(tracksCsv(5000, 1));
  const column = (index: number): readonly number[] => rows.map((row) => Number(row[index]));
  const share = (values: readonly number[], is: (value: number) => boolean): number => values.filter(is).length / values.length;

  it('has lines of the shape of the tutorial’s', () => {
    for (const line of tracksCsv(2000, 7).trim().split('\n')) expect(line).to.match(/^\d+,\d+,\d+,"2014-1[0-2]-\d\d \d\d:\d\d:\d\d",[01],"\d{5}"$/);
  });
  it('counts its events', () => {
    expect(column(0)).to.deep.equal(Array.from({ length: 5000 }, (_, id) => id));
  });
  it('has customers and tracks as often as there', () => {
    const [customers, tracks] = [column(1), column(2)];
    expect(Math.max(...customers)).to.be.below(5000);
    expect(share(customers, (id) => id === 0)).to.be.within(0.004, 0.011);
    expect(Math.max(...tracks)).to.be.below(1698);
    expect([...tracks].sort((one, other) => one - other)[2500]).to.be.within(380, 500);
    expect(share(column(4), (mobile) => mobile === 1)).to.be.within(0.57, 0.63);
  });
  it('has all days from October to December', () => {
    const days = [...new Set(rows.map((row) => row[3]?.slice(1, 11) ?? ''))].sort();
    expect([days.length, days[0], days.at(-1)]).to.deep.equal([91, '2014-10-01', '2014-12-30']);
  });
  it('is the same for the same seed, and another for another', () => {
    expect(tracksCsv(100, 3)).to.equal(tracksCsv(100, 3));
    expect(tracksCsv(100, 3)).not.to.equal(tracksCsv(100, 4));
    expect(tracksCsv(2, 1)).to.equal(tracksCsv(100, 1).split('\n').slice(0, 2).join('\n') + '\n');
    expect(tracksCsv(1, 0)).to.match(/^0,/);
  });
});

const pipeline = (script: string): string => script.slice(script.indexOf('\ninput {') + 1).trim();

describe('the tracks-producer role', () => {
  const here = (world: World = {}) => context(tracksProducer, chain(world), 'client-01');
  const resources = (world: World = {}) => producer.resources(here(world));

  it('learns of a new broker when it starts next, and is not restarted for it', () => {
    const more = resources({ brokers: ', broker-03: {private_address: 10.0.0.23}' });
    expect(steps(find(more, 'file /etc/logstash-tracks-producer/pipeline.conf'))).to.include('10.0.0.22:9092,10.0.0.23:9092');
    const service = 'service logstash-tracks-producer.service';
    expect(find(more, service).fingerprint).to.equal(find(resources(), service).fingerprint);
  });

  it('sends lines again and again, one a second', () => {
    expect(pipeline(steps(find(resources(), 'file /etc/logstash-tracks-producer/pipeline.conf')))).to.equal(`input {
  pipe {
    command => "cat /var/lib/logstash-tracks-producer/tracks.csv"
  }
}
filter {
  sleep {
    time => "1"
    every => "1"
  }
}
output {
  kafka {
    bootstrap_servers => "10.0.0.21:9092,10.0.0.22:9092"
    topic_id => "kafka-mon"
    client_id => "tracks-producer"
    codec => plain { format => "%{message}" }
  }
}`);
  });

  it('or once, as the tutorial does, and faster', () => {
    const text = pipeline(
      steps(
        find(
          resources({ clients: 'client-01: {private_address: 10.0.0.41, tracks_producer_repeat: false, tracks_producer_events_per_second: 40}' }),
          'file /etc/logstash-tracks-producer/pipeline.conf',
        ),
      ),
    );
    expect(text).to.contain(`  file {
    path => ["/var/lib/logstash-tracks-producer/tracks.csv"]
    start_position => "beginning"
    sincedb_path => "/var/lib/logstash-tracks-producer/tracks.sincedb"
  }`);
    expect(text).to.contain('time => "0.025"');
  });

  it('has its file before its pipeline, and Kafka before both', () => {
    const ids = resources().map(({ id }) => String(id));
    expect(ids.slice(0, 2)).to.deep.equal(['logstash is installed', 'kafka answers']);
    expect(ids.indexOf('file /var/lib/logstash-tracks-producer/tracks.csv')).to.be.lessThan(ids.indexOf('file /etc/logstash-tracks-producer/pipeline.conf'));
  });

  const refused: readonly (readonly [string, World, string])[] = [
    [
      'a topic that nobody makes',
      { clients: 'client-01: {private_address: 10.0.0.41, tracks_producer_topic: other}' },
      'nobody makes the topic other: topics are not made by using them',
    ],
    [
      'a cluster without brokers',
      { clients: 'client-01: {private_address: 10.0.0.41, kafka_cluster_name: b}' },
      'no broker is in the Kafka cluster b of client-01',
    ],
    [
      'a public address',
      { clients: 'client-01: {private_address: 8.8.8.8}' },
      'the JMX of a Kafka client without a login would listen on 8.8.8.8, which is no private address',
    ],
  ];
  for (const [what, world, reason] of refused) {
    it(`refuses ${what}`, () => {
      expect(producer.refuses?.(here(world)).map((each) => each.reason)).to.include(reason);
    });
  }
  it('asks nobody for the topics of brokers that others run', () => {
    const world = {
      brokers: ', old: {private_address: 10.0.0.99, kafka_managed: false}',
      clients: 'client-01: {private_address: 10.0.0.41, tracks_producer_topic: other}',
    };
    expect(producer.refuses?.(here(world))).to.deep.equal([]);
    expect(producer.refuses?.(here())).to.deep.equal([]);
  });

  it('is checked for the events it sends', () => {
    expect(producer.verify?.(here()).map(({ id }) => id)).to.deep.equal(['process', 'api', 'pipeline', 'events', 'listeners', 'log4shell', 'exposure']);
  });
});

describe('the tracks-consumer role', () => {
  const here = (world: World = {}) => context(tracksConsumer, chain(world), 'client-01');

  it('reads what the producer sent', () => {
    expect(pipeline(steps(find(consumer.resources(here()), 'file /etc/logstash-tracks-consumer/pipeline.conf')))).to.equal(`input {
  kafka {
    bootstrap_servers => "10.0.0.21:9092,10.0.0.22:9092"
    topics => ["kafka-mon"]
    group_id => "consumer_group_1"
    client_id => "tracks-consumer"
    consumer_threads => 1
    auto_offset_reset => "earliest"
    max_poll_records => 100
  }
}
output {
  null {}
}`);
  });

  it('is not expected to read when others have all partitions', () => {
    const three = chain({ clients: [1, 2, 3].map((n) => `client-0${String(n)}: {private_address: 10.0.0.4${String(n)}}`).join(', ') });
    expect(withoutPartition(hostOf(three, 'client-01'), three)).to.equal('3 consumers of consumer_group_1 share 2 partitions');
    const one = chain();
    expect(withoutPartition(hostOf(one, 'client-01'), one)).to.equal(undefined);
  });

  it('has ports and directories of its own', () => {
    const ids = (role: typeof producer | typeof consumer, contract: never) =>
      role.resources(context(contract, chain(), 'client-01') as never).map(({ id }) => String(id));
    const [one, other] = [ids(producer, tracksProducer as never), ids(consumer, tracksConsumer as never)];
    expect(one.filter((id) => other.includes(id))).to.deep.equal(['logstash is installed', 'kafka answers']);
  });
});
